package features

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"icebox/cache"
	"icebox/pipeline/journal"
)

// Store is the cache file at a path, whether it is there yet or not: one that is not
// is empty.
type Store struct {
	path  string
	opts  cache.Options
	c     *cache.Cache // nil while there is no file
	added int          // rows, since the store was opened
}

// ErrReadOnly is returned where rows are to be kept and the cache cannot be written to.
var ErrReadOnly = errors.New("the cache cannot be written to")

// OpenStore opens the cache at path. It notes a last commit that is damaged, and a file
// system on which locks may hang, before the first lock is asked for. Where patience is not
// 0 it waits so long for another process that writes to the cache: what that one writes is
// then seen. Rows that are to be kept wait for readers until ctx is done; j is told of waits.
func OpenStore(ctx context.Context, path string, patience time.Duration, j *journal.Journal) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: abs, opts: cache.Options{Context: ctx, ClaimWait: patience, Waiting: func(why string) { j.Tell(why) }}}
	if network := cache.Network(abs); network != "" {
		j.Note(fmt.Sprintf("the cache %s is on %s, where locks may hang and damage may go unseen: a local disk is better", abs, network), journal.Step{Do: journal.Change, Field: "Cache.Path"})
	}
	c, err := cache.Open(path, s.opts)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil && patience > 0 {
		err = queueFor(c)
	}
	if err != nil {
		return nil, err
	}
	s.c = c
	if damage := c.Recovered(); damage != nil {
		j.Note(fmt.Sprintf("the last commit of the cache is damaged, the one before it is in use: %v", damage))
	}
	return s, nil
}

// queueFor waits until nobody writes to the cache.
func queueFor(c *cache.Cache) error {
	w, err := c.Writer()
	if err == nil {
		return w.Close()
	}
	if errors.Is(err, cache.ErrLocked) {
		return err
	}
	return nil // it matters once something is to be written
}

// Close closes the file, and tidies it where many rows were added.
func (s *Store) Close() error {
	if s.c == nil {
		return nil
	}
	if s.added > 0 {
		_, _ = s.c.Tidy(s.added) // else later rows use what is free
	}
	return s.c.Close()
}

// Doc implements [dataset.Docs].
func (s *Store) Doc(name string) ([]byte, error) {
	if s.c == nil {
		return nil, cache.ErrNoDoc
	}
	return s.c.Doc(name)
}

// Docs implements [dataset.Docs].
func (s *Store) Docs(prefix string) []string {
	if s.c == nil {
		return nil
	}
	return s.c.Docs(prefix)
}

// has reports whether the row of a content is there.
func (s *Store) has(space string, k cache.Key) bool { return s.c != nil && s.c.Has(space, k) }

// lookUp fills x with the rows of keys, all of which the cache has.
func (s *Store) lookUp(space string, keys []cache.Key, x []float32) error {
	missing, err := s.c.Lookup(space, keys, x)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%w: %d rows went away while they were read: run again", ErrNotExtracted, len(missing))
	}
	return err
}

// writer makes the file if there is none. Its error is an [ErrReadOnly] where that is not
// allowed.
func (s *Store) writer() (*cache.Writer, error) {
	if s.c == nil {
		c, err := cache.OpenOrCreate(s.path, s.opts)
		if err != nil {
			return nil, readOnly(err)
		}
		s.c = c
	}
	w, err := s.c.Writer()
	return w, readOnly(err)
}

// readOnly is err as an [ErrReadOnly], if it is one.
func readOnly(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

// putDoc writes one document.
func (s *Store) putDoc(name string, doc []byte) error {
	w, err := s.writer()
	if err != nil {
		return err
	}
	return errors.Join(w.PutDoc(name, doc), w.Close())
}
