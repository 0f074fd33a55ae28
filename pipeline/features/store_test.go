package features

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"icebox/cache"
	"icebox/pipeline/journal"
)

// A store in which rows were added leaves no more free in the file than it must; one that
// was only read or described is left as it is.
func TestStoreIsTidiedAfterRowsWereAdded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	free := func(added int) int64 {
		t.Helper()
		s, err := OpenStore(t.Context(), path, 0, journal.New(journal.Silent, nil))
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.writer()
		if err != nil {
			t.Fatal(err)
		}
		err = w.Space(cache.Space{ID: "s", DType: cache.Float32, Dim: 8}, cache.Producer{Engine: "test"})
		for i := range added {
			err = errors.Join(err, w.Put("s", sha256.Sum256(fmt.Append(nil, i)), make([]float32, 8)))
		}
		for _, doc := range [][]byte{make([]byte, 1<<20), nil} {
			err = errors.Join(err, w.PutDoc("large", doc), w.Flush())
		}
		s.added = added
		if err := errors.Join(err, w.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		c, err := cache.Open(path, cache.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		st, err := c.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return st.FreeBytes
	}
	if n := free(50); n > 64<<10 {
		t.Errorf("%d bytes are free after rows were added", n)
	}
	if n := free(0); n < 1<<20 {
		t.Errorf("the file was copied for a document: %d bytes are free", n)
	}
}
