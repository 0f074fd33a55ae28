package cache

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// diskFree returns how many bytes this user may still write beside path; ok is false where
// nobody knows.
func diskFree(path string) (bytes int64, ok bool) {
	dir, err := windows.UTF16PtrFromString(filepath.Dir(path))
	if err != nil {
		return 0, false
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(dir, &free, nil, nil); err != nil {
		return 0, false
	}
	return int64(min(free, 1<<62)), true
}
