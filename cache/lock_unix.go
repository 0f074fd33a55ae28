//go:build unix && !solaris && !illumos && !aix

package cache

import (
	"errors"
	"os"
	"syscall"
)

// noFollow lets the opening of a link fail.
const noFollow = syscall.O_NOFOLLOW

// unlock gives the lock on f up. Closing f does it too, but not while f is mapped.
func unlock(f *os.File) error {
	return os.NewSyscallError("flock", syscall.Flock(int(f.Fd()), syscall.LOCK_UN))
}

// tryLock takes a lock on f until f is closed, as bbolt does; false: somebody has it.
func tryLock(f *os.File, exclusive bool) (bool, error) {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, os.NewSyscallError("flock", err)
		}
	}
}
