package features

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/pipeline/internal/lock"
)

// publication makes files that appear in a folder whole. They are written to a folder in it
// that is locked for as long, so that the next publication can tell what a killed one left.
type publication struct {
	dir, tmp string
	names    []string
	lock     *lock.Lock
}

// unpublished begins the name of the folder that files are written to.
const unpublished = ".icebox-export-"

// openPublication makes dir, if it is not there, tidies it, and refuses one that holds a
// file of one of the names.
func openPublication(dir string, names ...string) (*publication, error) {
	p := &publication{dir: dir, names: names}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	p.tidy()
	if err := p.free(); err != nil {
		return nil, err
	}
	var err error
	p.tmp, p.lock, err = lock.New(func() (string, error) { return os.MkdirTemp(dir, unpublished+"*") })
	if err != nil {
		return nil, err
	}
	return p, nil
}

// free returns an fs.ErrExist if a file of one of the names is there.
func (p *publication) free() error {
	for _, name := range p.names {
		if _, err := os.Lstat(filepath.Join(p.dir, name)); err == nil {
			return fmt.Errorf("%s in %s: %w", name, p.dir, fs.ErrExist)
		}
	}
	return nil
}

// path is where a file is written until it is published.
func (p *publication) path(name string) string { return filepath.Join(p.tmp, name) }

// publish gives the files their names, all of them or none.
func (p *publication) publish() error {
	for i, name := range p.names {
		err := p.place(name)
		if err == nil {
			continue
		}
		for _, done := range p.names[:i] {
			err = errors.Join(err, os.Remove(filepath.Join(p.dir, done)))
		}
		return err
	}
	return nil
}

// place gives one file its name. It stays where it was written, too, as the proof of whose
// it is; where a file system has no second names, it moves.
func (p *publication) place(name string) error {
	to := filepath.Join(p.dir, name)
	err := os.Link(p.path(name), to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, there := os.Lstat(to); there == nil {
		return fmt.Errorf("%s in %s: %w", name, p.dir, fs.ErrExist)
	}
	return os.Rename(p.path(name), to)
}

// close removes the folder that files were written to.
func (p *publication) close() {
	_ = lock.RemoveFolder(p.tmp) // else the next one does
	p.lock.Release()
}

// tidy removes what killed publications left: their folders, and the files that one had
// published unless it had all of them. One that is over begins to remove what it wrote: where
// not all of that is there, nothing that is published is touched.
func (p *publication) tidy() {
	entries, _ := os.ReadDir(p.dir) // what cannot be read cannot be tidied
	for _, e := range entries {
		tmp := filepath.Join(p.dir, e.Name())
		if !e.IsDir() || !strings.HasPrefix(e.Name(), unpublished) || !p.isOwn(tmp) {
			continue
		}
		l := lock.TakeLeft(tmp)
		if l == nil {
			continue
		}
		if own := p.published(tmp); p.isWritten(tmp) && len(own) < len(p.names) {
			for _, path := range own {
				_ = os.Remove(path) // what stays is seen by free
			}
		}
		_ = lock.RemoveFolder(tmp)
		l.Release()
	}
}

// isOwn reports whether a folder holds nothing but what a publication writes.
func (p *publication) isOwn(tmp string) bool {
	entries, err := os.ReadDir(tmp)
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !e.Type().IsRegular() || e.Name() != lock.Name && !slices.Contains(p.names, e.Name())
	})
}

// isWritten reports whether tmp holds all files.
func (p *publication) isWritten(tmp string) bool {
	return !slices.ContainsFunc(p.names, func(name string) bool {
		_, err := os.Lstat(filepath.Join(tmp, name))
		return err != nil
	})
}

// published lists the files of tmp that have their names.
func (p *publication) published(tmp string) (own []string) {
	for _, name := range p.names {
		to := filepath.Join(p.dir, name)
		a, errA := os.Lstat(filepath.Join(tmp, name))
		b, errB := os.Lstat(to)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			own = append(own, to)
		}
	}
	return own
}
