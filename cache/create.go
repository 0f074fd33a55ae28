package cache

import (
	"errors"
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
	deadline := time.Now().Add(o.withDefaults().LockWait)
	for {
		c, err := Open(path, o)
		if !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
		err = create(path, o.withDefaults())
		// Another process that has the claim on a missing cache is making it.
		if err != nil && (!errors.Is(err, ErrLocked) || time.Now().After(deadline)) {
			return nil, err
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// create makes an empty cache at path, unless another process has made one.
func create(path string, o Options) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	cl, err := takeClaim(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cl.release()) }()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tmp := newPath(path)
	err = writeEmpty(tmp, 1)
	if err == nil {
		_, err = finish(tmp)
	}
	if err != nil {
		return errors.Join(inFile(path, asFull(err)), remove(tmp))
	}
	return inFile(path, moveInto(tmp, path, o.LockWait))
}

// newPath is where the next version of a cache is made; the claim protects it, and
// one that a killed process left is overwritten.
func newPath(path string) string { return path + ".new" }

// writeEmpty makes an empty cache file, over what is at path; next is its first
// sequence number. It is durable after finish.
func writeEmpty(path string, next uint64) error {
	if err := remove(path); err != nil {
		return err
	}
	return guard(func() error {
		_, db, err := openBolt(path, time.Second, nil)
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
