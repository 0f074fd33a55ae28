package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/x448/float16"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

func TestRowsComeBackInKeyOrder(t *testing.T) {
	c := newCache(t, quick())
	keys := keysOf(0, 100)
	fill(t, c, keys, space8, spaceHalf, spaceWide)
	for _, s := range []Space{space8, spaceHalf, spaceWide} {
		reversed := slices.Clone(keys)
		slices.Reverse(reversed)
		wantRows(t, c, s, keys)
		wantRows(t, c, s, append(reversed, reversed[:10]...))
		if n := c.Len(s.ID); n != 100 {
			t.Errorf("space %s has %d rows", s.ID, n)
		}
	}
	wantSound(t, c.path)
	wantFresh(t, c)
}

func TestMissingRowsLeaveTheirPlaceAlone(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 20), space8)
	dst := make([]float32, 4*8)
	for i := range dst {
		dst[i] = -7
	}
	missing, err := c.Lookup(space8.ID, []Key{keyOf(500), keyOf(3), keyOf(501), keyOf(19)}, dst)
	must(t, err)
	if diff := cmp.Diff([]int{0, 2}, missing); diff != "" {
		t.Error(diff)
	}
	if dst[0] != -7 || dst[23] != -7 {
		t.Error("the place of a missing row was written to")
	}
	if wrongRow(space8, []Key{keyOf(3)}, dst[8:16]) >= 0 || wrongRow(space8, []Key{keyOf(19)}, dst[24:]) >= 0 {
		t.Error("a row beside a missing one is wrong")
	}
}

func TestLookupSaysWhatIsWrongWithTheQuestion(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 3), space8)
	if _, err := c.Lookup("nowhere", nil, nil); !errors.Is(err, ErrNoSpace) {
		t.Errorf("unknown space: %v", err)
	}
	if _, err := c.Lookup(space8.ID, keysOf(0, 2), make([]float32, 15)); err == nil || !strings.Contains(err.Error(), "need 16") {
		t.Errorf("room too small: %v", err)
	}
	if _, err := c.Doc("none"); !errors.Is(err, ErrNoDoc) {
		t.Errorf("unknown document: %v", err)
	}
	must(t, c.Close())
	if _, err := c.Lookup(space8.ID, nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if c.Has(space8.ID, keyOf(0)) || len(c.Spaces()) > 0 {
		t.Error("a closed cache still answers")
	}
}

func TestFirstRowOfAKeyStays(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 20), space8)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	for i := 0; i < 25; i++ {
		must(t, w.Put(space8.ID, keyOf(i%22), make([]float32, 8))) // 20 and 21 are new: zeros
	}
	must(t, w.Put(space8.ID, keyOf(20), rowOf(space8, keyOf(20))))
	must(t, w.Close())
	wantRows(t, c, space8, keysOf(0, 20))
	if n := c.Len(space8.ID); n != 22 {
		t.Errorf("%d rows, want 22", n)
	}
	dst := make([]float32, 8)
	if _, err := c.Lookup(space8.ID, []Key{keyOf(20)}, dst); err != nil || slices.Max(dst) != 0 {
		t.Errorf("the second row of a key not yet committed replaced the first: %v %v", dst, err)
	}
}

func TestValuesThatCannotBeStoredAreRefused(t *testing.T) {
	c := newCache(t, quick())
	w, err := c.Writer()
	must(t, err)
	defer w.Close()
	must(t, w.Space(space8, native1))
	must(t, w.Space(spaceHalf, native1))
	for _, tc := range []struct {
		s Space
		v float64
	}{{space8, math.NaN()}, {space8, math.Inf(1)}, {space8, math.Inf(-1)}, {spaceHalf, math.NaN()}, {spaceHalf, 65520}, {spaceHalf, -1e9}} {
		row := make([]float32, tc.s.Dim)
		row[5] = float32(tc.v)
		err := w.Put(tc.s.ID, keyOf(1), row)
		if !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), "element 5") {
			t.Errorf("%s %v: %v", tc.s.DType, tc.v, err)
		}
	}
	put(t, w, space8, keyOf(1))
	must(t, w.Put(space8.ID, keyOf(2), []float32{math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1)), 65504, 0, 0, 0}))
	must(t, w.Flush())
	wantRows(t, c, space8, []Key{keyOf(1)})
	dst := make([]float32, 8)
	_, err = c.Lookup(space8.ID, []Key{keyOf(2)}, dst)
	must(t, err)
	if dst[2] != math.SmallestNonzeroFloat32 || !math.Signbit(float64(dst[3])) {
		t.Errorf("extreme numbers changed: %v", dst)
	}
}

func TestWidenAgreesWithFloat16ForEveryFiniteValue(t *testing.T) {
	for i := range 1 << 16 {
		h := float16.Frombits(uint16(i))
		if !h.IsFinite() {
			continue
		}
		if got, want := widen(uint16(i)), h.Float32(); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("%#04x: %v, want %v", i, got, want)
		}
	}
}

func TestSpacesKeepTheirShape(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 3), space8)
	w, err := c.Writer()
	must(t, err)
	defer w.Close()
	other := space8
	other.Dim = 9
	if err := w.Space(other, native1); !errors.Is(err, ErrSpaceMismatch) {
		t.Errorf("another dimension: %v", err)
	}
	other = space8
	other.DType = Float16
	if err := w.Space(other, native1); !errors.Is(err, ErrSpaceMismatch) {
		t.Errorf("another dtype: %v", err)
	}
	must(t, w.Space(spaceWide, native1))
	other = spaceWide
	other.Dim = 5
	if err := w.Space(other, native1); !errors.Is(err, ErrSpaceMismatch) {
		t.Errorf("another dimension than declared: %v", err)
	}
	if err := w.Put(space8.ID, keyOf(9), make([]float32, 8)); !errors.Is(err, ErrNoSpace) {
		t.Errorf("not declared to this writer: %v", err)
	}
	if err := w.Put(spaceWide.ID, keyOf(9), make([]float32, 8)); !errors.Is(err, ErrSpaceMismatch) {
		t.Errorf("a row too short: %v", err)
	}
	for _, bad := range []Space{{DType: Float32, Dim: 1}, {ID: "x", DType: "int8", Dim: 1}, {ID: "x", DType: Float32}, {ID: "x", DType: Float32, Dim: 1, Info: []byte("{")}} {
		if err := w.Space(bad, native1); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

func TestDocumentsAreReplacedAndDeleted(t *testing.T) {
	c := newCache(t, quick())
	w, err := c.Writer()
	must(t, err)
	big := []byte(strings.Repeat("0123456789", 10000))
	must(t, w.PutDoc("set/a", []byte("first")))
	must(t, w.PutDoc("set/b", big))
	must(t, w.PutDoc("other", []byte{}))
	must(t, w.Flush())
	must(t, w.PutDoc("set/a", []byte("second")))
	must(t, w.PutDoc("other", nil))
	must(t, w.PutDoc("never", nil))
	if got, _ := c.Doc("set/a"); string(got) != "first" {
		t.Errorf("before the commit: %q", got)
	}
	must(t, w.Close())
	got, err := c.Doc("set/a")
	if string(got) != "second" {
		t.Errorf("%q %v", got, err)
	}
	if got, err := c.Doc("set/b"); string(got) != string(big) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if diff := cmp.Diff([]string{"set/a", "set/b"}, c.Docs("")); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Doc("other"); !errors.Is(err, ErrNoDoc) {
		t.Errorf("deleted: %v", err)
	}
	wantSound(t, c.path)
	wantFresh(t, c)
}

func TestOpenTellsWhatAFileIs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	if _, err := Open(path, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Verify(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("verify no file: %v", err)
	}
	for name, content := range map[string]string{"empty": "", "short": "hello", "text": strings.Repeat("not a cache. ", 5000)} {
		must(t, os.WriteFile(path, []byte(content), 0o644))
		if _, err := Open(path, Options{}); !errors.Is(err, ErrNotCache) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := OpenOrCreate(path, Options{}); !errors.Is(err, ErrNotCache) {
			t.Errorf("%s: %v", name, err)
		}
		if got := readFile(t, path); string(got) != content {
			t.Errorf("%s: the foreign file was changed", name)
		}
	}
	must(t, os.Remove(path))
	db, err := bbolt.Open(path, 0o644, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("somebody"))
		return err
	}))
	must(t, db.Close())
	if _, err := Open(path, Options{}); !errors.Is(err, ErrNotCache) {
		t.Errorf("foreign bbolt file: %v", err)
	}
}

func TestNewerFormatIsNotCalledDamage(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 5), space8)
	db, err := bbolt.Open(c.path, 0o644, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(metaBucket))
		v := slices.Clone(b.Get([]byte(docKey)))
		v[8]++
		putChecksum(v)
		return b.Put([]byte(docKey), v)
	}))
	must(t, db.Close())
	_, err = Open(c.path, Options{})
	if !errors.Is(err, ErrNewer) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("%v", err)
	}
	if _, err := Verify(c.path); !errors.Is(err, ErrNewer) {
		t.Errorf("verify: %v", err)
	}
	before := readFile(t, c.path)
	if _, err := Compact(c.path, CompactOptions{Salvage: true}); !errors.Is(err, ErrNewer) {
		t.Errorf("salvage: %v", err)
	}
	if string(before) != string(readFile(t, c.path)) {
		t.Error("a newer file was changed")
	}
}

func TestOptionsReportAllFaultsAtOnce(t *testing.T) {
	err := Options{BlockRows: -1, FlushEvery: -1, LockWait: -1}.Validate()
	for _, name := range []string{"BlockRows", "FlushEvery", "LockWait"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	if err := (Options{}).Validate(); err != nil {
		t.Error(err)
	}
	if _, err := OpenOrCreate(filepath.Join(t.TempDir(), "x"), Options{BlockRows: -1}); err == nil {
		t.Error("OpenOrCreate takes bad options")
	}
}

func TestReadersSeeWhatOtherProcessesCommit(t *testing.T) {
	c := newCache(t, quick())
	reader, err := Open(c.path, quick())
	must(t, err)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	for i := 0; i < 60; i += 3 {
		put(t, w, space8, keysOf(i, i+3)...)
		if i%2 == 0 {
			must(t, w.PutDoc("doc", fmt.Append(nil, i)))
		}
		must(t, w.Flush())
		if i%4 == 0 {
			must(t, reader.Refresh())
			if n := reader.Len(space8.ID); n != i+3 {
				t.Fatalf("%d rows after refresh, want %d", n, i+3)
			}
		}
		wantRows(t, reader, space8, keysOf(0, i+3))
		wantFresh(t, c)
	}
	must(t, w.Close())
	must(t, os.Remove(c.path))
	if err := reader.Refresh(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("refresh without a file: %v", err)
	}
}

func TestAnotherFileOfTheSameNameIsRead(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 40), space8)
	fill(t, c, keysOf(0, 40), spaceWide)
	reader, err := Open(c.path, quick())
	must(t, err)
	for range 3 { // file numbers are used again after a while
		must(t, os.Remove(c.path))
		fresh, err := OpenOrCreate(c.path, quick())
		must(t, err)
		fill(t, fresh, keysOf(100, 140), space8)
		fill(t, fresh, keysOf(100, 140), spaceWide)
		must(t, reader.Refresh())
		wantRows(t, reader, space8, keysOf(100, 140))
		if reader.Has(space8.ID, keyOf(0)) {
			t.Fatal("a row of the removed file is still there")
		}
	}
}

func TestAnotherContentOfTheSameFileIsRead(t *testing.T) {
	c, other := newCache(t, quick()), newCache(t, quick())
	fill(t, c, keysOf(0, 20), space8)
	fill(t, other, keysOf(100, 120), space8)
	fill(t, other, keysOf(120, 121), space8)
	must(t, os.WriteFile(c.path, readFile(t, other.path), 0o644)) // sequence numbers and sizes are alike
	must(t, c.Refresh())
	wantRows(t, c, space8, keysOf(100, 121))
	wantFresh(t, c)
}

func TestSecondWriterIsRefusedAndToldWhoHasTheCache(t *testing.T) {
	c := newCache(t, quick())
	w, err := c.Writer()
	must(t, err)
	again, err := Open(c.path, quick())
	must(t, err)
	for name, try := range map[string]func() error{
		"writer":        func() error { _, err := c.Writer(); return err },
		"other's":       func() error { _, err := again.Writer(); return err },
		"compact":       func() error { _, err := Compact(c.path, CompactOptions{}); return err },
		"drop":          func() error { return Drop(c.path, "x", Options{}) },
		"through links": func() error { return writerThroughLink(t, c.path) },
	} {
		err := try()
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, w.Close())
	w, err = again.Writer()
	must(t, err)
	must(t, w.Close())
}

func writerThroughLink(t *testing.T, path string) error {
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	c, err := Open(link, quick())
	must(t, err)
	_, err = c.Writer()
	return err
}

func TestRowsAreCommittedInTime(t *testing.T) {
	defer goleak.VerifyNone(t)
	o := quick()
	o.FlushEvery = 5 * time.Millisecond
	c := newCache(t, o)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	for i := range 3 {
		put(t, w, space8, keyOf(i))
		for !c.Has(space8.ID, keyOf(i)) {
			time.Sleep(time.Millisecond) // the test's own deadline ends a wait in vain
		}
	}
	must(t, w.PutDoc("d", []byte("x")))
	for len(c.Docs("")) == 0 {
		time.Sleep(time.Millisecond)
	}
	must(t, w.Close())
}

func TestFullBlockIsCommittedAtOnce(t *testing.T) {
	c := newCache(t, quick())
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	put(t, w, space8, keysOf(0, 15)...)
	if c.Len(space8.ID) != 0 {
		t.Error("rows are committed before the block is full")
	}
	put(t, w, space8, keyOf(15))
	if n := c.Len(space8.ID); n != 16 {
		t.Errorf("%d rows are committed when the block is full", n)
	}
	must(t, w.Close())
}

func TestManyGoroutinesMayPutAndLookUp(t *testing.T) {
	defer goleak.VerifyNone(t)
	o := quick()
	o.FlushEvery = time.Millisecond
	c := newCache(t, o)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	must(t, w.Space(spaceWide, native1))
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 120 {
				k := keyOf((i*7 + g*40) % 200)
				for _, s := range []Space{space8, spaceWide} {
					if err := w.Put(s.ID, k, rowOf(s, k)); err != nil {
						t.Error(err)
					}
				}
				dst := make([]float32, 8)
				missing, err := c.Lookup(space8.ID, []Key{k}, dst)
				if err != nil && !errors.Is(err, ErrNoSpace) || err == nil && len(missing) == 0 && wrongRow(space8, []Key{k}, dst) >= 0 {
					t.Error("wrong row, or", err)
				}
			}
		})
	}
	wg.Wait()
	must(t, w.Close())
	wantRows(t, c, space8, keysOf(0, 200))
	wantRows(t, c, spaceWide, keysOf(0, 200))
	wantFresh(t, c)
	wantOneShort(t, c)
	wantSound(t, c.path)
}

func TestManyMayCreateTheSameCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "test.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := OpenOrCreate(path, quick())
			if err != nil {
				t.Error(err)
				return
			}
			must(t, c.Close())
		})
	}
	wg.Wait()
	wantSound(t, path)
	left, err := filepath.Glob(path + "?*")
	if must(t, err); len(left) != 1 || left[0] != lockPath(path) {
		t.Errorf("beside the cache lie %v", left)
	}
}

func TestShortBlockGrowsOnAcrossWriters(t *testing.T) {
	c := newCache(t, quick())
	for i := range 30 {
		fill(t, c, keysOf(i*3, i*3+3), space8, spaceWide)
		wantOneShort(t, c)
	}
	rows, next := map[Producer]int{native1: 90}, 90
	for _, p := range []Producer{native1, native2, native1, native2} {
		w, err := c.Writer()
		must(t, err)
		must(t, w.Space(space8, p))
		put(t, w, space8, keysOf(next, next+5)...)
		other := native2
		if p == native2 {
			other = native1
		}
		must(t, w.Space(space8, other))
		put(t, w, space8, keysOf(next+5, next+8)...)
		must(t, w.Space(space8, p))
		put(t, w, space8, keysOf(next+8, next+10)...)
		next += 10
		must(t, w.Close())
		wantOneShort(t, c)
		wantFresh(t, c)
		rows[p] += 7
		rows[other] += 3
	}
	got := map[Producer]int{}
	for _, b := range c.state.spaces[space8.ID].blocks {
		got[b.producer] += len(b.keys)
	}
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("rows by producer: %s", diff)
	}
	wantRows(t, c, space8, keysOf(0, 90))
	wantRows(t, c, spaceWide, keysOf(0, 90))
	wantSound(t, c.path)
}

func TestSlowExtractionLeavesLittleFreeSpace(t *testing.T) {
	const rows, every = 1500, 10
	o := quick()
	o.BlockRows = 256
	c := newCache(t, o)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(spaceWide, native1))
	for i := 0; i < rows; i += every {
		put(t, w, spaceWide, keysOf(i, i+every)...)
		must(t, w.Flush())
	}
	must(t, w.Close())
	st, err := c.Stat()
	must(t, err)
	if limit := st.RawBytes*5/4 + 1<<20; st.FileBytes > limit {
		t.Errorf("the file has %d bytes for %d of rows, with %d free", st.FileBytes, st.RawBytes, st.FreeBytes)
	}
}

// However often rows are committed, and a document that grows with them, the file that is
// left is at most 1.05 times the rows.
func TestTidyFileIsHardlyLargerThanItsRows(t *testing.T) {
	const rows, docBytes = 20_000, 34 // a row, as the documents of datasets have it
	s := Space{ID: "raw", DType: Float32, Dim: 512}
	for _, every := range []int{41, 100, 200} { // rows a commit: 5 seconds of 8 to 40 images/s
		c := newCache(t, Options{FlushEvery: time.Hour})
		c.noSync = true
		w, err := c.Writer()
		must(t, err)
		must(t, w.Space(s, native1))
		row := make([]float32, s.Dim)
		for i := range rows {
			must(t, w.Put(s.ID, keyOf(i), row))
			if i%every == every-1 {
				must(t, w.PutDoc("dataset", make([]byte, docBytes*(rows+i)/2)))
				must(t, w.Flush())
			}
		}
		must(t, w.PutDoc("dataset", make([]byte, docBytes*rows)))
		must(t, w.Close())
		ratio := func() float64 {
			st, err := c.Stat()
			must(t, err)
			return float64(st.FileBytes) / float64(st.RawBytes)
		}
		before := ratio()
		if done, err := c.Tidy(rows/16 - 1); done || err != nil || ratio() != before {
			t.Errorf("for few new rows: %v, %v", done, err)
		}
		done, err := c.Tidy(rows)
		if after := ratio(); !done || err != nil || after > 1.05 {
			t.Errorf("a commit every %d rows: %.3f times the rows, after Tidy %.3f (%v, %v)", every, before, after, done, err)
		}
		if done, err := c.Tidy(rows); done || err != nil {
			t.Errorf("once more: %v, %v", done, err)
		}
		if c.Len(s.ID) != rows {
			t.Errorf("%d rows are left", c.Len(s.ID))
		}
		wantSound(t, c.path)
	}
}

// Tidy leaves the file alone while another writer has it.
func TestTidyWaitsForNoWriter(t *testing.T) {
	c := newCache(t, Options{})
	w, err := c.Writer()
	must(t, err)
	for _, doc := range [][]byte{make([]byte, 1<<20), nil} {
		must(t, w.PutDoc("large", doc))
		must(t, w.Flush())
	}
	if done, err := c.Tidy(1); done || !errors.Is(err, ErrLocked) {
		t.Errorf("beside a writer: %v, %v", done, err)
	}
	must(t, w.Close())
	if done, err := c.Tidy(1); !done || err != nil {
		t.Errorf("after it: %v, %v", done, err)
	}
	wantSound(t, c.path)
}

func TestFileIsHardlyLargerThanItsRows(t *testing.T) {
	c := newCache(t, Options{})
	s := Space{ID: "raw", DType: Float32, Dim: 512}
	fill(t, c, keysOf(0, 6000), s)
	st, err := c.Stat()
	must(t, err)
	if st.RawBytes != 6000*2048 {
		t.Errorf("raw size %d", st.RawBytes)
	}
	if float64(st.FileBytes) > 1.05*float64(st.RawBytes)+(1<<20) {
		t.Errorf("the file has %.3f times the raw bytes", float64(st.FileBytes)/float64(st.RawBytes))
	}
}

func TestKeysAreThoseOfTheSpaceInAStableOrder(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 50), space8)
	fill(t, c, keysOf(50, 60), spaceWide)
	first, again := slices.Collect(c.Keys(space8.ID)), slices.Collect(c.Keys(space8.ID))
	if !slices.Equal(first, again) {
		t.Error("the order changes")
	}
	less := func(a, b Key) int { return strings.Compare(string(a[:]), string(b[:])) }
	if diff := cmp.Diff(slices.SortedFunc(slices.Values(keysOf(0, 50)), less), slices.SortedFunc(slices.Values(first), less)); diff != "" {
		t.Error(diff)
	}
	for range c.Keys(space8.ID) {
		break
	}
	if got := slices.Collect(c.Keys("none")); got != nil {
		t.Errorf("unknown space has keys %v", got)
	}
}

func TestKeysWithEqualHashesAreToldApart(t *testing.T) {
	c := newCache(t, quick())
	var keys []Key
	for i := range 200 { // the index folds a key's four words into one: these all fold to 0
		var k Key
		k[0], k[8] = byte(i), byte(i)
		keys = append(keys, k)
	}
	fill(t, c, keys, space8)
	wantRows(t, c, space8, keys)
	wantSound(t, c.path)
}

func TestDropTakesOneSpaceOnly(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 40), space8, spaceHalf)
	w, err := c.Writer()
	must(t, err)
	must(t, w.PutDoc("d", []byte("stays")))
	own := "numbers/" + space8.ID + "/0"
	must(t, w.PutDoc(own, []byte("goes")))
	must(t, w.PutDoc("numbers/"+spaceHalf.ID+"/0", []byte("stays")))
	must(t, w.Close())
	must(t, Drop(c.path, space8.ID, quick()))
	must(t, c.Refresh())
	if c.Len(space8.ID) != 0 || len(c.Spaces()) != 1 {
		t.Error("the space is still there")
	}
	wantRows(t, c, spaceHalf, keysOf(0, 40))
	for _, name := range []string{"d", "numbers/" + spaceHalf.ID + "/0"} {
		if got, err := c.Doc(name); string(got) != "stays" {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if got, err := c.Doc(own); !errors.Is(err, ErrNoDoc) {
		t.Errorf("the space's document is still there: %q %v", got, err)
	}
	if err := Drop(c.path, space8.ID, quick()); !errors.Is(err, ErrNoSpace) {
		t.Errorf("dropped twice: %v", err)
	}
	fill(t, c, keysOf(0, 5), space8)
	wantRows(t, c, space8, keysOf(0, 5))
	wantSound(t, c.path)
}

func TestCompactKeepsAllAndFreesTheRest(t *testing.T) {
	c := newCache(t, quick())
	for i := range 12 {
		w, err := c.Writer()
		must(t, err)
		must(t, w.Space(space8, []Producer{native1, native2}[i%2]))
		must(t, w.Space(spaceHalf, native1))
		put(t, w, space8, keysOf(i*7, i*7+7)...)
		put(t, w, spaceHalf, keysOf(i*5, i*5+5)...)
		must(t, w.PutDoc("d", []byte(strings.Repeat("x", i*3000))))
		must(t, w.Close())
	}
	report, err := Compact(c.path, CompactOptions{Options: quick()})
	must(t, err)
	if report.After >= report.Before || report.Rows != 84+60 || len(report.Lost) != 0 {
		t.Errorf("%+v", report)
	}
	if info, err := os.Stat(c.path); err != nil || info.Size() != report.After {
		t.Errorf("size is %v, not as reported: %v", info, report)
	}
	must(t, c.Refresh())
	wantRows(t, c, space8, keysOf(0, 84))
	wantRows(t, c, spaceHalf, keysOf(0, 60))
	for _, p := range c.Spaces()[0].Producers {
		if p.Rows != 42 || p.Blocks != 3 || p.Producer != native1 && p.Producer != native2 {
			t.Errorf("producer %+v", p)
		}
	}
	if n := len(c.Spaces()[0].Producers); n != 2 {
		t.Errorf("%d producers", n)
	}
	if got := c.Spaces()[0].Space; cmp.Diff(space8, got) != "" {
		t.Errorf("space is %+v, was %+v", got, space8)
	}
	wantOneShort(t, c)
	wantFresh(t, c)
	fill(t, c, keysOf(84, 100), space8)
	wantRows(t, c, space8, keysOf(0, 100))
	wantSound(t, c.path)
}

func TestStaleNewFileIsOverwritten(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 40), space8)
	must(t, os.WriteFile(makingPath(c.path), readFile(t, c.path)[:2*pageSize+100], 0o644)) // as a killed process leaves it
	_, err := Compact(c.path, CompactOptions{Options: quick()})
	must(t, err)
	must(t, c.Refresh())
	wantRows(t, c, space8, keysOf(0, 40))
	left, _ := filepath.Glob(c.path + ".*")
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestClosedWriterRefusesEverything(t *testing.T) {
	c := newCache(t, quick())
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	must(t, w.Close())
	for name, err := range map[string]error{
		"put": w.Put(space8.ID, keyOf(1), make([]float32, 8)), "doc": w.PutDoc("d", nil), "flush": w.Flush(), "close": w.Close(), "space": w.Space(space8, native1),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
