// Package lock locks a folder that a process writes to, by a file in it. The lock goes with
// the process, however that ends, so that what a killed one left can be told from what a
// living one is at.
package lock

import (
	"errors"
	"os"
	"path/filepath"
)

// Name is the name of the lock file of a folder.
const Name = "lock"

// ErrHeld is returned for a folder that another process has locked.
var ErrHeld = errors.New("another process writes to it")

// RemoveFolder removes a folder, its lock file last: of a folder that is removed in part it
// can still be told that nobody writes to it.
func RemoveFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != Name {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
