package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// OpenOrCreate opens the cache at path and makes an empty one, and its folders, if
// there is none. The new file appears whole or not at all.
func OpenOrCreate(path string, o Options) (*Cache, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	making := o.withDefaults()
	making.ClaimWait = max(making.ClaimWait, making.LockWait) // who has the claim on a missing cache makes it
	for {
		c, err := Open(path, o)
		if !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
		if err := create(path, making); err != nil {
			return nil, err
		}
	}
}

// create makes an empty cache at path, unless another process has made one.
func create(path string, o Options) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	cl, err := takeClaim(path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cl.release()) }()
	switch info, err := os.Lstat(path); {
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cache %s: it is a link to a file that is not there", path)
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := clearMaking(path); err != nil {
		return err
	}
	tmp := makingPath(path)
	if err := makeEmpty(tmp); err != nil {
		return errors.Join(inFile(path, asFull(err)), remove(tmp))
	}
	return inFile(path, placeNew(tmp, path))
}

// makingPath is where the next version of a cache is made until it is whole. The claim on
// the cache protects it.
func makingPath(path string) string { return path + ".making" }

// clearMaking removes what a killed process left of the making of path. The caller has the
// claim on path. A file that no cache can have begun with stays, and is an error.
func clearMaking(path string) error {
	tmp := makingPath(path)
	info, err := os.Lstat(tmp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > 0 && !beginsAsBolt(tmp) {
		return fmt.Errorf("%s is in the way, and not of this program: move it elsewhere", tmp)
	}
	return remove(tmp)
}

// beginsAsBolt reports whether the file at path, which is no link, begins as bbolt makes
// files.
func beginsAsBolt(path string) bool {
	f, err := openPlain(path, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	b := make([]byte, pageHead+4)
	_, err = f.ReadAt(b, 0)
	magic := native.Uint32(b[pageHead:])
	return err == nil && (magic == metaMagic || magic == 0 && native.Uint64(b) == 0) // a power cut leaves zeros
}

// makeEmpty makes an empty cache at path, whole, checked and on the disk.
func makeEmpty(path string) error {
	if err := writeEmpty(path, 1, 0o644); err != nil {
		return err
	}
	if _, err := finish(path); err != nil {
		return err
	}
	_, err := checkCopy(path)
	return err
}

// checkCopy counts the rows of a new file and refuses one that is not sound.
func checkCopy(path string) (rows int, err error) {
	r, err := Verify(path)
	if err == nil && !r.OK() {
		err = fmt.Errorf("the new file is not sound: %s", r.Faults[0])
	}
	return r.Rows, err
}

// writeEmpty makes an empty cache file at path, where no file may be; next is its first
// sequence number. It is durable after finish.
func writeEmpty(path string, next uint64, perm fs.FileMode) error {
	return guard(func() error {
		_, db, err := openBolt(path, nil, perm, newWait(context.Background(), time.Second, nil))
		if err != nil {
			return err
		}
		db.NoSync, db.NoGrowSync = true, true
		err = db.Update(func(tx *bbolt.Tx) error { return putLedger(tx, &ledger{Next: next}) })
		return errors.Join(err, db.Close())
	})
}

// remove removes a file if it is there.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
