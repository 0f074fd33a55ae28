package features

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/npy"
)

// nthRow is the row of nthKey(i) in the cache of grownStore.
func nthRow(i int) []float32 {
	row := make([]float32, extract.Dim)
	for j := range row {
		row[j] = float32(i%2000) + float32(j)/1024
	}
	return row
}

// grownStore has n rows, in the order of i·7 mod n, in a space of a type.
func grownStore(t *testing.T, n int, dtype cache.DType) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.db")
	c, err := cache.OpenOrCreate(path, cache.Options{BlockRows: 16})
	must(t, err)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(cache.Space{ID: "grown", DType: dtype, Dim: extract.Dim}, cache.Producer{Engine: "native"}))
	for i := range n {
		must(t, w.Put("grown", nthKey(i*7%n), nthRow(i*7%n)))
	}
	must(t, w.Close())
	t.Cleanup(func() { c.Close() })
	return &Store{path: path, c: c}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tiny lets everything exceed the memory, and segments have a few rows.
func tiny(t *testing.T) {
	t.Helper()
	if !npy.CanMap {
		t.Skip("files are not mapped on this system")
	}
	above, segment, limit := npy.MapAbove, segmentBytes, debug.SetMemoryLimit(-1)
	t.Cleanup(func() { npy.MapAbove, segmentBytes = above, segment; debug.SetMemoryLimit(limit) })
	npy.MapAbove, segmentBytes = 0, 70*rowBytes
	debug.SetMemoryLimit(1 << 10)
}

func TestRowsThatExceedTheMemoryAreThoseOfTheCache(t *testing.T) {
	const n = 1000
	for _, dtype := range []cache.DType{cache.Float32, cache.Float16} {
		s := grownStore(t, n, dtype)
		ds := grown(n, true)
		ds.Items = slices.DeleteFunc(ds.Items, func(it dataset.Item) bool { return it.Hash[3]%5 == 0 })
		ds.Items = append(ds.Items, ds.Items[17], ds.Items[4]) // copies
		c := &Cached{store: s, ds: ds, space: Space{ID: "grown"}}
		want, err := c.Rows(All)
		must(t, err)
		tiny(t)
		got, err := c.Rows(All)
		must(t, err)
		if !got.Data.Paged || want.Data.Paged {
			t.Fatalf("paged %v, and %v with memory", got.Data.Paged, want.Data.Paged)
		}
		if !slices.Equal(got.Items, want.Items) || !slices.Equal(got.Data.Labels, want.Data.Labels) || !slices.Equal(got.Data.X, want.Data.X) {
			t.Errorf("%s: rows differ", dtype)
		}
		for _, name := range dirNames(t, filepath.Dir(s.path)) {
			if name != "f.db" && name != "f.db.lock" {
				t.Errorf("%s lies beside the cache", name)
			}
		}
		c.pagers[0].files[0].Forget()
		if !slices.Equal(got.Data.X, want.Data.X) {
			t.Errorf("%s: rows differ after their memory was given away", dtype)
		}
		npy.MapAbove = 1 << 30
		must(t, c.Close())
	}
}

func dirNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestADamagedBlockGetsIntoNoFileOfRows(t *testing.T) {
	const n = 300
	s := grownStore(t, n, cache.Float32)
	data, err := os.ReadFile(s.path)
	must(t, err)
	row := appendFloats(nil, nthRow(150))
	at := -1
	for i := 0; i+len(row) <= len(data) && at < 0; i += 8 {
		if string(data[i:i+len(row)]) == string(row) {
			at = i
		}
	}
	if at < 0 {
		t.Fatal("the row is not in the file")
	}
	data[at+100] ^= 1
	must(t, os.WriteFile(s.path, data, 0o644))
	tiny(t)
	c := &Cached{store: s, ds: grown(n, true), space: Space{ID: "grown"}}
	if _, err := c.Rows(All); !errors.Is(err, cache.ErrCorrupt) {
		t.Errorf("%v", err)
	}
	if len(c.spools)+len(c.pagers) > 0 {
		t.Error("a file of rows is kept")
	}
}

func TestRowsDoNotFillTheDisk(t *testing.T) {
	s := grownStore(t, 10, cache.Float32)
	free, known := cache.FreeDisk(s.path)
	if !known || free/rowBytes >= math.MaxInt32 {
		t.Skip("how much disk is free is not known, or more than can be asked for")
	}
	if _, _, err := s.createSpool(math.MaxInt32); !errors.Is(err, cache.ErrFull) {
		t.Errorf("%v", err)
	}
}

func TestRowsThatTheDiskDoesNotGiveAreAnError(t *testing.T) {
	if !npy.CanMap {
		t.Skip("files are not mapped on this system")
	}
	tiny(t)
	s := grownStore(t, 10, cache.Float32)
	f, mapped, err := s.createSpool(100)
	must(t, err)
	defer f.Close()
	sp := &spool{file: mapped}
	must(t, sp.open())
	c := &Cached{store: s, spools: []*spool{sp}}
	must(t, f.Truncate(0))
	err = c.Guard(func() error {
		if sp.x[99] != 0 {
			t.Error("a value that nobody wrote")
		}
		return nil
	})
	if !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), s.path) {
		t.Errorf("%v", err)
	}
	must(t, sp.Close())
}
