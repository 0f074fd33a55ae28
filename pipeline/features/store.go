package features

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"icebox/cache"
	"icebox/pipeline/journal"
)

// Store is the cache file at a path, whether it is there yet or not: one that is not
// is empty.
type Store struct {
	path  string
	c     *cache.Cache // nil while there is no file
	added int          // rows, since the store was opened
}

// OpenStore opens the cache at path. It notes a last commit that is damaged.
func OpenStore(path string, j *journal.Journal) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: abs}
	c, err := cache.Open(path, cache.Options{})
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
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

// writer makes the file if there is none.
func (s *Store) writer() (*cache.Writer, error) {
	if s.c == nil {
		c, err := cache.OpenOrCreate(s.path, cache.Options{})
		if err != nil {
			return nil, err
		}
		s.c = c
	}
	return s.c.Writer()
}

// putDoc writes one document.
func (s *Store) putDoc(name string, doc []byte) error {
	w, err := s.writer()
	if err != nil {
		return err
	}
	return errors.Join(w.PutDoc(name, doc), w.Close())
}
