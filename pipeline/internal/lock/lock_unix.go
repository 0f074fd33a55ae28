//go:build unix && !solaris && !illumos && !aix

package lock

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Lock is the right to write to a folder; nil is one that nobody checks.
type Lock struct{ f *os.File }

// Take locks a folder, in which it makes the file Name. It returns nil where a file system
// has no locks, and ErrHeld if another process has the folder.
func Take(dir string) (*Lock, error) {
	for {
		l, err := take(filepath.Join(dir, Name), os.O_CREATE)
		if !errors.Is(err, errGone) {
			return l, err
		}
	}
}

// New makes a folder by make, which returns its path, and locks it. Somebody who tidies may
// take the folder for a left one as long as it is empty: then it is made again.
func New(make func() (dir string, err error)) (string, *Lock, error) {
	for {
		dir, err := make()
		if err != nil {
			return "", nil, err
		}
		l, err := Take(dir)
		if _, gone := os.Lstat(dir); err == nil && gone == nil {
			return dir, l, nil
		}
		l.Release()
		if err != nil && !errors.Is(err, ErrHeld) {
			return "", nil, errors.Join(err, RemoveFolder(dir))
		}
	}
}

// TakeLeft locks a folder that a process has left; nil if that process lives, or if nobody
// can say so because there is no lock file. An empty folder is one that was just made, or
// that was just being removed.
func TakeLeft(dir string) *Lock {
	create := 0
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		create = os.O_CREATE
	}
	l, _ := take(filepath.Join(dir, Name), create)
	return l
}

// TakeFile locks a file that was just made, or that a process may have left; nil if another
// process has it, if it is gone, or where there are no locks.
func TakeFile(path string) *Lock {
	l, _ := take(path, 0)
	return l
}

// File locks a file that is there. It returns nil where a file system has no locks, and
// ErrHeld if another process has the file.
func File(path string) (*Lock, error) {
	l, err := take(path, 0)
	if errors.Is(err, errGone) {
		return nil, fs.ErrNotExist
	}
	return l, err
}

// errGone is returned where the lock file was removed while it was being locked.
var errGone = errors.New("the lock file is gone")

// take locks a file. It follows no link, and writes nothing.
func take(path string, create int) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|create, 0o644)
	if err != nil {
		return nil, ignore(err)
	}
	l := &Lock{f}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		l.Release()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrHeld
		}
		return nil, nil
	}
	opened, err := f.Stat()
	if err == nil {
		var now os.FileInfo
		if now, err = os.Lstat(path); err == nil && os.SameFile(opened, now) {
			return l, nil
		}
	}
	l.Release()
	return nil, errGone
}

// ignore keeps of an error of opening what another process cannot be the cause of.
func ignore(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EROFS) {
		return nil
	}
	return err
}

// Release gives the lock up; the file stays.
func (l *Lock) Release() {
	if l != nil {
		l.f.Close()
	}
}
