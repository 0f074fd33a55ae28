package cache

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", 0, "seed of the random damage; 0 takes the time")

// victim is a sound cache file that is going to be damaged.
type victim struct {
	bytes []byte
	rows  map[string][]Key // by space
	docs  map[string]string
	seed  uint64
	rng   *rand.Rand
}

var allSpaces = []Space{space8, spaceHalf, spaceWide}

// newVictim makes a file with full, short and replaced blocks, documents and free
// pages.
func newVictim(t *testing.T) *victim {
	v := &victim{rows: map[string][]Key{}, docs: map[string]string{}, seed: *seed}
	if v.seed == 0 {
		v.seed = uint64(time.Now().UnixNano())
	}
	t.Logf("again with: go test ./cache -run %s -seed %d", t.Name(), v.seed)
	v.rng = rand.New(rand.NewPCG(v.seed, 0))
	c := newCache(t, quick())
	for i := range 5 {
		w, err := c.Writer()
		must(t, err)
		for _, s := range allSpaces {
			must(t, w.Space(s, native1))
			keys := keysOf(i*13, i*13+13)
			put(t, w, s, keys...)
			v.rows[s.ID] = append(v.rows[s.ID], keys...)
			must(t, w.Flush())
		}
		for _, name := range []string{"gate", "set/a"} {
			v.docs[name] = strings.Repeat(name+fmt.Sprint(i), 400*i+1)
			must(t, w.PutDoc(name, []byte(v.docs[name])))
		}
		must(t, w.Close())
	}
	v.bytes = readFile(t, c.path)
	return v
}

// damaged writes a damaged copy.
func (v *victim) damaged(t *testing.T, b []byte) string {
	path := filepath.Join(t.TempDir(), "damaged.db")
	must(t, os.WriteFile(path, b, 0o644))
	return path
}

// outcome is what became of a damaged file.
type outcome struct{ seen, whole bool }

// suffer opens, reads, writes and repairs a damaged file, and checks what must hold
// whatever the damage is.
func (v *victim) suffer(t *testing.T, path, what string) (o outcome) {
	t.Helper()
	r, err := Verify(path)
	o.seen = err != nil || !r.OK()
	if err != nil && !isOurs(err) {
		t.Fatalf("%s: verify: %v", what, err)
	}
	o.whole = v.read(t, path, what, false)
	if !o.seen && !o.whole {
		t.Fatalf("%s: verify finds nothing, but not all can be read", what)
	}
	v.write(t, path, what)
	if o.seen {
		v.salvage(t, path, what)
	}
	return o
}

func isOurs(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNotCache) || errors.Is(err, ErrNewer)
}

// read reports whether everything could be read; nothing may be wrong. older says that
// the file may be at an earlier commit, as it may be if the cache says so itself.
func (v *victim) read(t *testing.T, path, what string, older bool) (whole bool) {
	c, err := Open(path, quick())
	if err != nil {
		if !isOurs(err) {
			t.Fatalf("%s: open: %v", what, err)
		}
		return false
	}
	defer c.Close()
	older = older || c.Recovered() != nil
	whole = true
	for _, s := range allSpaces {
		keys := v.rows[s.ID]
		for i := 0; i < len(keys); i += 7 {
			part := keys[i:min(i+7, len(keys))]
			dst := make([]float32, len(part)*s.Dim)
			missing, err := c.Lookup(s.ID, part, dst)
			if err != nil {
				if !isOurs(err) && !errors.Is(err, ErrNoSpace) {
					t.Fatalf("%s: lookup: %v", what, err)
				}
				whole = false
				continue
			}
			if len(missing) > 0 {
				whole = false
				if !older {
					t.Fatalf("%s: rows are gone without a word", what)
				}
				continue
			}
			if j := wrongRow(s, part, dst); j >= 0 {
				t.Fatalf("%s: space %s: wrong row", what, s.ID)
			}
		}
	}
	return v.readDocs(t, c, what, older) && whole
}

func (v *victim) readDocs(t *testing.T, c *Cache, what string, older bool) (whole bool) {
	whole = true
	for name, want := range v.docs {
		got, err := c.Doc(name)
		if err == nil && string(got) == want {
			continue
		}
		whole = false
		if err == nil && !older {
			t.Fatalf("%s: document %s is wrong", what, name)
		}
		if err != nil && !isOurs(err) && !errors.Is(err, ErrNoDoc) {
			t.Fatalf("%s: document %s: %v", what, name, err)
		}
	}
	return whole
}

// write adds to a copy of the damaged file; rows that it then has must be right.
func (v *victim) write(t *testing.T, path, what string) {
	path = v.damaged(t, readFile(t, path))
	c, err := Open(path, quick())
	if err != nil {
		return
	}
	defer c.Close()
	c.noSync = true // this is not about power cuts
	older := c.Recovered() != nil
	w, err := c.Writer()
	if err != nil {
		t.Fatalf("%s: writer: %v", what, err)
	}
	keys := keysOf(1000, 1020)
	for _, s := range allSpaces {
		err = errors.Join(err, w.Space(s, native1))
		for _, k := range keys {
			err = errors.Join(err, w.Put(s.ID, k, rowOf(s, k)))
		}
	}
	if err = errors.Join(err, w.Close()); err != nil {
		if !isOurs(err) {
			t.Fatalf("%s: write: %v", what, err)
		}
		return
	}
	for _, s := range allSpaces {
		wantRows(t, c, s, keys)
	}
	v.read(t, path, what+", then written to", older)
}

// salvage repairs the damaged file, after which it must be sound.
func (v *victim) salvage(t *testing.T, path, what string) {
	report, err := Compact(path, CompactOptions{Options: quick(), Salvage: true})
	if err != nil {
		if !errors.Is(err, ErrNotCache) {
			t.Fatalf("%s: salvage: %v", what, err)
		}
		return
	}
	if r := wantSound(t, path); r.Rows != report.Rows {
		t.Fatalf("%s: salvage reports %d rows, there are %d", what, report.Rows, r.Rows)
	}
	c, err := Open(path, quick())
	must(t, err)
	defer c.Close()
	total := 0
	for _, s := range allSpaces {
		total += c.Len(s.ID)
		for k := range c.Keys(s.ID) {
			wantRows(t, c, s, []Key{k})
		}
	}
	if want := 3 * 65; total < want && len(report.Lost) == 0 {
		t.Fatalf("%s: salvage lost %d rows and does not say so", what, want-total)
	}
}

func TestTruncatedFileIsDetected(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	for range 80 {
		n := v.rng.IntN(len(v.bytes))
		if o := v.suffer(t, v.damaged(t, v.bytes[:n]), fmt.Sprintf("cut at %d", n)); !o.seen && !o.whole {
			t.Errorf("cut at %d: not detected", n)
		}
	}
}

func TestFlippedBitIsDetectedOrHarmless(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	seen := 0
	const tries = 500
	for i := range tries {
		at := v.rng.IntN(len(v.bytes))
		if i%2 == 1 { // where pages say what they are
			at = at&^(pageSize-1) + v.rng.IntN(100)
		}
		b := append([]byte(nil), v.bytes...)
		b[at] ^= 1 << v.rng.IntN(8)
		if v.suffer(t, v.damaged(t, b), fmt.Sprintf("byte %d flipped", at)).seen {
			seen++
		}
	}
	t.Logf("%d of %d flips hit something in use", seen, tries)
	if seen < tries/4 {
		t.Errorf("only %d of %d flips were detected: is anything checked?", seen, tries)
	}
}

func TestDamagedPagesNeverPanic(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	for i := range 100 {
		b := append([]byte(nil), v.bytes...)
		n := 1 + v.rng.IntN(40)
		from := v.rng.IntN(len(b) / pageSize)
		for range n {
			at := (from+v.rng.IntN(4))*pageSize + v.rng.IntN(100)
			b[min(at, len(b)-1)] = byte(v.rng.Uint32())
		}
		v.suffer(t, v.damaged(t, b), fmt.Sprintf("case %d, %d bytes from page %d", i, n, from))
	}
}

func TestDamageWhileTheCacheIsOpenIsNoticed(t *testing.T) {
	v := newVictim(t)
	for i := range 120 {
		path := v.damaged(t, v.bytes)
		c, err := Open(path, quick())
		must(t, err)
		at := v.rng.IntN(len(v.bytes))
		info, err := os.Stat(path)
		must(t, err)
		b := append([]byte(nil), v.bytes...)
		b[at] ^= 0x10
		must(t, os.WriteFile(path, b, 0o644))
		must(t, os.Chtimes(path, info.ModTime(), info.ModTime())) // as if nothing had happened
		for _, s := range allSpaces {
			keys := v.rows[s.ID]
			dst := make([]float32, len(keys)*s.Dim)
			_, err := c.Lookup(s.ID, keys, dst)
			if err != nil && !isOurs(err) {
				t.Fatalf("case %d: %v", i, err)
			}
			if err == nil && wrongRow(s, keys, dst) >= 0 {
				t.Fatalf("case %d: byte %d: wrong row", i, at)
			}
		}
		w, err := c.Writer()
		if err != nil {
			continue
		}
		err = errors.Join(w.Space(space8, native1), w.PutDoc("new", []byte("x")), w.Close())
		if err != nil && !isOurs(err) {
			t.Fatalf("case %d: write: %v", i, err)
		}
	}
}

func TestErrorNamesFileBlockAndTheWayOut(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 40), space8)
	b := readFile(t, c.path)
	blk := c.state.spaces[space8.ID].blocks[1]
	b[blk.off+blk.length-100] ^= 1
	must(t, os.WriteFile(c.path, b, 0o644))
	_, err := c.Lookup(space8.ID, keysOf(0, 40), make([]float32, 40*8))
	for _, part := range []string{c.path, fmt.Sprintf("block %d", blk.seq), space8.ID} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	wantRows(t, c, space8, keysOf(0, 16)) // another block
	if _, err := Compact(c.path, CompactOptions{Options: quick()}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("compact without salvage: %v", err)
	}
	report, err := Compact(c.path, CompactOptions{Options: quick(), Salvage: true})
	must(t, err)
	if len(report.Lost) != 1 || !strings.Contains(report.Lost[0].String(), "16 of 40 rows") {
		t.Errorf("lost: %v", report.Lost)
	}
	must(t, c.Refresh())
	if n := c.Len(space8.ID); n != 24 {
		t.Errorf("%d rows were salvaged", n)
	}
	fill(t, c, keysOf(0, 40), space8)
	wantRows(t, c, space8, keysOf(0, 40))
	wantSound(t, c.path)
}

func TestDamagedMetaPageIsReportedAndRepaired(t *testing.T) {
	for _, page := range []int{0, 1} {
		c := newCache(t, quick())
		fill(t, c, keysOf(0, 20), space8)
		fill(t, c, keysOf(20, 40), space8)
		b := readFile(t, c.path)
		b[page*pageSize+pageHead+20] ^= 4
		must(t, os.WriteFile(c.path, b, 0o644))
		r, err := Verify(c.path)
		must(t, err)
		if len(r.Faults) != 1 || r.Faults[0].Where != "meta" || !strings.Contains(r.Faults[0].What, fmt.Sprint("page ", page)) {
			t.Errorf("page %d: %v", page, r.Faults)
		}
		c, err = Open(c.path, quick())
		must(t, err)
		st, err := c.Stat()
		must(t, err)
		if c.Recovered() == nil || st.Recovered == "" {
			t.Errorf("page %d: the older commit is used without a word", page)
		}
		w, err := c.Writer()
		must(t, err)
		must(t, w.Space(space8, native1))
		put(t, w, space8, keysOf(0, 40)...)
		must(t, w.PutDoc("d", []byte("x")))
		must(t, w.Close())
		if c.Recovered() != nil {
			t.Errorf("page %d: still reported after a commit", page)
		}
		wantRows(t, c, space8, keysOf(0, 40))
		wantSound(t, c.path)
	}
}

// A copy of the older commit would be sound and lack the last one for good.
func TestCompactRefusesADamagedMetaPageAndSalvageKeepsTheLastCommit(t *testing.T) {
	for _, page := range []int{0, 1} {
		c := newCache(t, quick())
		fill(t, c, keysOf(0, 20), space8)
		w, err := c.Writer()
		must(t, err)
		for _, s := range []Space{space8, spaceWide} {
			must(t, w.Space(s, native1))
			put(t, w, s, keysOf(20, 40)...)
		}
		must(t, w.PutDoc("d", []byte("last")))
		must(t, w.Close())
		b := readFile(t, c.path)
		b[page*pageSize+pageHead+20] ^= 4
		must(t, os.WriteFile(c.path, b, 0o644))
		for what, err := range map[string]error{
			"compact": second(Compact(c.path, CompactOptions{Options: quick()})),
			"drop":    Drop(c.path, space8.ID, quick()),
		} {
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), fmt.Sprint("meta page ", page)) {
				t.Errorf("page %d: %s: %v", page, what, err)
			}
		}
		if !bytes.Equal(readFile(t, c.path), b) {
			t.Errorf("page %d: the file was changed", page)
		}
		report, err := Compact(c.path, CompactOptions{Options: quick(), Salvage: true})
		must(t, err)
		c, err = Open(c.path, quick())
		must(t, err)
		wantRows(t, c, space8, keysOf(0, 40))
		wantRows(t, c, spaceWide, keysOf(20, 40))
		if d, err := c.Doc("d"); string(d) != "last" || len(report.Lost) > 0 {
			t.Errorf("page %d: document %q, %v, lost %v", page, d, err, report.Lost)
		}
		wantSound(t, c.path)
	}
}

func second[T any](_ T, err error) error { return err }

func TestFaultsInsideBboltAreErrorsAndFreeTheFile(t *testing.T) {
	if err := guard(func() error { panic("assertion failed") }); !errors.Is(err, ErrCorrupt) {
		t.Errorf("panic: %v", err)
	}
	for _, flag := range []uint16{freelistFlag, leafFlag} { // bbolt panics on opening, or in the transaction
		o := quick()
		o.LockWait = 300 * time.Millisecond
		c := newCache(t, o)
		fill(t, c, keysOf(0, 40), space8)
		w, err := c.Writer()
		must(t, err)
		must(t, w.Space(space8, native1))
		put(t, w, space8, keysOf(40, 44)...)
		sound := readFile(t, c.path)
		b := append([]byte(nil), sound...)
		for _, p := range pagesOf(b, flag) {
			p[8] ^= 0x40 // after the writer has looked
		}
		must(t, os.WriteFile(c.path, b, 0o644))
		if err := w.Flush(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("flag %#x: flush: %v", flag, err)
		}
		must(t, os.WriteFile(c.path, sound, 0o644))
		must(t, w.Close()) // no lock may be left over from the panic
		wantRows(t, c, space8, keysOf(0, 44))
		wantSound(t, c.path)
	}
}

func TestSalvageNeedsNoMetaPages(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 20), space8)
	for i, data := range []string{"first", "second", "third"} {
		w, err := c.Writer()
		must(t, err)
		must(t, w.Space(spaceHalf, native1))
		put(t, w, spaceHalf, keysOf(10*i, 10*i+10)...)
		must(t, w.PutDoc("d", []byte(data)))
		if i == 2 { // only the last ledger knows of it
			must(t, w.Space(spaceWide, native1))
			put(t, w, spaceWide, keysOf(0, 5)...)
		}
		must(t, w.Close())
	}
	b := readFile(t, c.path)
	clear(b[:2*pageSize])
	must(t, os.WriteFile(c.path, b, 0o644))
	if r, err := Verify(c.path); err == nil && r.OK() {
		t.Error("verify finds nothing")
	}
	report, err := Compact(c.path, CompactOptions{Options: quick(), Salvage: true})
	must(t, err)
	c, err = Open(c.path, quick())
	must(t, err)
	wantRows(t, c, space8, keysOf(0, 20))
	wantRows(t, c, spaceHalf, keysOf(0, 30))
	wantRows(t, c, spaceWide, keysOf(0, 5))
	if got, err := c.Doc("d"); string(got) != "third" {
		t.Errorf("document %q, %v", got, err)
	}
	if s := c.Spaces()[0]; string(s.Info) != string(space8.Info) || len(report.Lost) == 0 {
		t.Errorf("info %s, report %+v", s.Info, report)
	}
}
