//go:build unix && !solaris && !illumos && !aix

package runs

import (
	"os"
	"syscall"
)

// lock is the right to write to a folder. It goes with the process, however that ends.
type lock struct{ f *os.File }

// takeLock locks the file at path, which it makes; nil if another process has it. Where a
// file system has no locks, the lock is nil as well.
func takeLock(path string) *lock {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil
	}
	return flock(f)
}

// takeLeft locks the file at path that a process has left; nil if there is none, or if
// that process lives.
func takeLeft(path string) *lock {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	l := flock(f)
	if l == nil {
		return nil
	}
	opened, err := f.Stat()
	if err == nil {
		var now os.FileInfo
		if now, err = os.Stat(path); err == nil && os.SameFile(opened, now) {
			return l
		}
	}
	l.release() // the folder has got its name meanwhile
	return nil
}

func flock(f *os.File) *lock {
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		f.Close()
		return nil
	}
	return &lock{f}
}

func (l *lock) release() {
	if l != nil {
		l.f.Close()
	}
}
