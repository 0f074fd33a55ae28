//go:build unix

package cache

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// fullErrnos mean that there is no room; EFBIG is a limit on the size of a file.
var fullErrnos = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

// syncDir makes a rename in path's folder survive a power cut. File systems that
// cannot sync a folder say EINVAL.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// sameOwner gives the file at path the permissions that was has, and its owner and group as
// far as this process may: where it may not, nobody else gets rights by them.
func sameOwner(path string, was os.FileInfo) error {
	perm := was.Mode().Perm()
	if st, ok := was.Sys().(*syscall.Stat_t); ok {
		if os.Chown(path, int(st.Uid), int(st.Gid)) != nil && os.Chown(path, -1, int(st.Gid)) != nil {
			now, err := os.Stat(path)
			if err != nil {
				return err
			}
			if st2, ok := now.Sys().(*syscall.Stat_t); ok && st2.Gid != st.Gid {
				perm &^= 0o070
			}
		}
	}
	return os.Chmod(path, perm)
}
