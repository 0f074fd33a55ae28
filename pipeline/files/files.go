// Package files makes files that appear under their names whole, or not at all.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"icebox/pipeline/internal/lock"
)

// File is a file that is being written, beside its place and under a name that begins with
// a dot. It is locked for as long, so that what a killed process leaves can be told from it.
type File struct {
	*os.File
	path string
	lock *lock.Lock
}

// ending is that of the names of files that are being written.
const ending = ".icebox"

// prefix begins the name of a file that is to become path.
func prefix(path string) string {
	return fmt.Sprintf(".%.200s.", filepath.Base(path))
}

// Create begins a file that is to become path, with the permissions that new files get. What
// killed processes left of path is removed. The caller ends with Replace, Place or Abandon.
func Create(path string) (*File, error) {
	Tidy(path)
	for {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%016x%s", prefix(path), rand.Uint64(), ending))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, err
		}
		l := lock.TakeFile(name)
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return &File{f, path, l}, nil
		}
		f.Close() // somebody took it for a left one before it was locked
		l.Release()
	}
}

// Tidy removes what killed processes left of path.
func Tidy(path string) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return // it will be seen
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if !IsUnfinished(name, path) {
			continue
		}
		left := filepath.Join(filepath.Dir(path), name)
		if l := lock.TakeFile(left); l != nil {
			_ = os.Remove(left)
			l.Release()
		}
	}
}

// IsUnfinished reports whether name is that of a file that is to become path, or was.
func IsUnfinished(name, path string) bool {
	middle, begins := strings.CutPrefix(name, prefix(path))
	digits, ends := strings.CutSuffix(middle, ending)
	return begins && ends && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == ""
}

// Replace ends the file and gives it its name, over a file that is there. Where that fails,
// no file is left.
func (f *File) Replace() error { return f.end(os.Rename) }

// Place ends the file and gives it its name. It returns an fs.ErrExist if that is taken.
func (f *File) Place() error {
	return f.end(func(from, to string) error {
		err := os.Link(from, to)
		if err == nil {
			return os.Remove(from)
		}
		if _, there := os.Lstat(to); there == nil {
			return fmt.Errorf("%s: %w", to, fs.ErrExist)
		}
		return os.Rename(from, to) // there are no second names here
	})
}

func (f *File) end(name func(from, to string) error) error {
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = name(f.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	f.lock.Release()
	return err
}

// Abandon lets go of a file that is not to be kept.
func (f *File) Abandon() {
	f.Close()
	_ = os.Remove(f.Name()) // else the next one does
	f.lock.Release()
}

// Write makes a file of data, over one that is there.
func Write(path string, data []byte) error {
	f, err := create(path, data)
	if err != nil {
		return err
	}
	return f.Replace()
}

// WriteNew makes a file of data. It returns an fs.ErrExist if there is one.
func WriteNew(path string, data []byte) error {
	Tidy(path) // a process may have been killed when it had placed the file
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	f, err := create(path, data)
	if err != nil {
		return err
	}
	return f.Place()
}

// create is Create of a file with data in it.
func create(path string, data []byte) (*File, error) {
	f, err := Create(path)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(data); err != nil {
		f.Abandon()
		return nil, err
	}
	return f, nil
}
