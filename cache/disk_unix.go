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
