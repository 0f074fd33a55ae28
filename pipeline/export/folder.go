package export

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

// folder is one that is being written, beside its place and under a name that begins with a
// dot. It is locked for as long, so that what a killed process left can be told from it.
type folder struct {
	path, tmp string
	lock      *lock.Lock
}

// openFolder begins a folder that is to become path. What killed processes left of path is
// removed. The caller ends with place or abandon.
func openFolder(path string) (*folder, error) {
	parent, prefix := filepath.Dir(path), fmt.Sprintf(".%.200s.icebox-", filepath.Base(path))
	entries, _ := os.ReadDir(parent) // what cannot be read cannot be tidied
	for _, e := range entries {
		left := filepath.Join(parent, e.Name())
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		if l := lock.TakeLeft(left); l != nil {
			_ = lock.RemoveFolder(left) // else the next one does
			l.Release()
		}
	}
	f := &folder{path: path}
	var err error
	f.tmp, f.lock, err = lock.New(func() (string, error) {
		tmp := filepath.Join(parent, fmt.Sprintf("%s%016x", prefix, rand.Uint64()))
		return tmp, os.Mkdir(tmp, 0o755)
	})
	return f, err
}

// at is where a file of the folder is written; its name has slashes.
func (f *folder) at(name string) string { return filepath.Join(f.tmp, filepath.FromSlash(name)) }

// place gives the folder its name, which must be free.
func (f *folder) place() error {
	if _, err := os.Lstat(f.path); err == nil {
		return fmt.Errorf("%w: %s: %w", ErrExists, f.path, fs.ErrExist)
	}
	if err := os.Rename(f.tmp, f.path); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(f.path, lock.Name))
	f.lock.Release()
	if errors.Is(err, fs.ErrNotExist) { // there are no locks here
		return nil
	}
	return err
}

// abandon lets go of a folder that is not to be kept.
func (f *folder) abandon() {
	_ = lock.RemoveFolder(f.tmp) // else the next one does
	f.lock.Release()
}
