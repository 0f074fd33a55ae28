//go:build linux || darwin || freebsd

package cache

import (
	"path/filepath"
	"syscall"
)

// diskFree returns how many bytes this user may still write beside path; ok is false where
// nobody knows.
func diskFree(path string) (bytes int64, ok bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &st); err != nil || st.Blocks == 0 {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // Bsize has other types on other systems
}
