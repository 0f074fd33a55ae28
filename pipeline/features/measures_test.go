package features

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/journal"
)

func looksOf(n int) (cache.Key, extract.Traits) {
	m := extract.Measures{Width: 70000 + n, Height: 1 + n, Bright99: uint8(n), Bright5: uint8(n / 2), Grey: n%3 == 0, Entropy: uint16(n), Edges: uint16(65535 - n), Spread: uint16(2 * n)}
	return sha256.Sum256(fmt.Append(nil, n)), extract.Traits{Measures: m}
}

// onStore works with the cache at path as an extraction does.
func onStore(t *testing.T, path string, work func(*Store, *cache.Writer) error) {
	t.Helper()
	s, err := OpenStore(t.Context(), path, 0, journal.New(journal.Silent, nil))
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.writer()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(work(s, w), w.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
}

func loadLooks(t *testing.T, path string) (known map[uint64]extract.Measures, docs []string, err error) {
	t.Helper()
	s, err := OpenStore(t.Context(), path, 0, journal.New(journal.Silent, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	known, err = loadMeasures(s, "s")
	return known, s.Docs(measuresPrefix), err
}

// What was measured is there again, whatever the number of extractions and of documents.
func TestMeasuresAreRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	n := 0
	for _, images := range []int{1, 700, measuresPerDoc, 3} {
		onStore(t, path, func(s *Store, w *cache.Writer) error {
			m := openMeasuring(s, "s")
			var keys []cache.Key
			var traits []extract.Traits
			for range images {
				k, tr := looksOf(n)
				keys, traits = append(keys, k), append(traits, tr)
				n++
			}
			return m.put(w, keys, traits)
		})
	}
	known, docs, err := loadLooks(t, path)
	if err != nil || len(known) != n || len(docs) != 2 {
		t.Fatalf("%d of %d known, in %d documents: %v", len(known), n, len(docs), err)
	}
	for i := range n {
		k, want := looksOf(i)
		if got := known[measuresKey(k)]; got != want.Measures {
			t.Fatalf("%d: %+v, want %+v", i, got, want.Measures)
		}
	}
}

// A document that a newer version wrote is left alone and not read; a damaged one is an
// error, and others are read all the same.
func TestForeignMeasuresAreLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	newer, damaged := []byte{measuresVersion + 1, 7, 7}, []byte{measuresVersion, 1, 2, 3}
	k, traits := looksOf(5)
	onStore(t, path, func(_ *Store, w *cache.Writer) error {
		return errors.Join(w.PutDoc(measuresOf("s")+"00000003", newer), w.PutDoc(measuresOf("other")+"00000000", damaged))
	})
	onStore(t, path, func(s *Store, w *cache.Writer) error {
		return openMeasuring(s, "s").put(w, []cache.Key{k}, []extract.Traits{traits})
	})
	known, docs, err := loadLooks(t, path)
	if err != nil || len(known) != 1 || len(docs) != 3 || known[measuresKey(k)] != traits.Measures {
		t.Errorf("%v, in %v: %v", known, docs, err)
	}
	onStore(t, path, func(s *Store, w *cache.Writer) error {
		if got, err := s.Doc(measuresOf("s") + "00000003"); string(got) != string(newer) {
			return fmt.Errorf("the newer document is %v: %w", got, err)
		}
		return w.PutDoc(measuresOf("s")+"00000001", damaged)
	})
	if known, _, err := loadLooks(t, path); !errors.Is(err, cache.ErrCorrupt) || len(known) != 1 {
		t.Errorf("%v beside a damaged document: %v", known, err)
	}
}

// What was measured is committed no later than its row.
func TestMeasuresComeWithTheirRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	onStore(t, path, func(s *Store, w *cache.Writer) error {
		m := openMeasuring(s, "s")
		err := w.Space(cache.Space{ID: "s", DType: cache.Float32, Dim: 2}, cache.Producer{Engine: "test"})
		for i := range 600 { // more than two blocks
			k, traits := looksOf(i)
			err = errors.Join(err, m.put(w, []cache.Key{k}, []extract.Traits{traits}), w.Put("s", k, []float32{1, 2}))
			if i%50 != 0 {
				continue
			}
			c, cerr := cache.Open(path, cache.Options{}) // as after a kill
			if cerr != nil {
				return cerr
			}
			known, lerr := loadMeasures(&Store{path: path, c: c}, "s")
			if c.Len("s") > len(known) {
				err = errors.Join(err, fmt.Errorf("%d rows and what was measured of %d", c.Len("s"), len(known)))
			}
			err = errors.Join(err, lerr, c.Close())
		}
		return err
	})
}

func FuzzMeasures(f *testing.F) {
	k, traits := looksOf(300)
	f.Add(appendMeasures([]byte{measuresVersion}, k, traits.Measures))
	f.Add([]byte{measuresVersion})
	f.Add([]byte{2, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, doc []byte) {
		all := map[uint64]extract.Measures{}
		err := readMeasures(all, "x", doc)
		if err != nil && !errors.Is(err, cache.ErrCorrupt) {
			t.Fatalf("%v is not ErrCorrupt", err)
		}
		for key, m := range all {
			again := map[uint64]extract.Measures{}
			if err := readMeasures(again, "x", appendMeasures([]byte{measuresVersion}, cache.Key(binary.LittleEndian.AppendUint64(make([]byte, 0, 32), key)[:32]), m)); err != nil || again[key] != m {
				t.Errorf("%+v became %+v: %v", m, again[key], err)
			}
		}
	})
}
