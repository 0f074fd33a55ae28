package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// boltFile makes a bbolt file with buckets a and b of n keys each.
func boltFile(t *testing.T, n int) []byte {
	path := filepath.Join(t.TempDir(), "bolt.db")
	db, err := bbolt.Open(path, 0o644, &bbolt.Options{PageSize: pageSize})
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{"a", "b"} {
			b, err := tx.CreateBucket([]byte(name))
			must(t, err)
			for i := range n {
				must(t, b.Put(fmt.Appendf(nil, "key %06d", i), bytes.Repeat([]byte{byte(i)}, i%60)))
			}
		}
		return nil
	}))
	must(t, db.Close())
	return readFile(t, path)
}

// walkAll visits everything in a bbolt file.
func walkAll(b []byte) (keys int, err error) {
	p, err := openPages(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, err
	}
	err = p.each(p.top(), func(e entry) error {
		ref, err := p.bucketAt(e)
		if err != nil {
			return err
		}
		return p.each(ref, func(entry) error { keys++; return nil })
	})
	if err == nil {
		_, err = p.checkFree()
	}
	return keys, err
}

func TestTreeOfAnySizeIsRead(t *testing.T) {
	for _, n := range []int{1, 3, 200, 3000, 20000} { // inlined, a leaf, branches of branches
		if got, err := walkAll(boltFile(t, n)); got != 2*n || err != nil {
			t.Errorf("%d of %d keys: %v", got, 2*n, err)
		}
	}
}

// pagesOf returns the pages in use with the given flag.
func pagesOf(b []byte, flag uint16) (found [][]byte) {
	p, err := openPages(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		panic(err)
	}
	free := map[uint64]bool{}
	list := b[p.freelist*p.pageSize:]
	for i := range uint64(native.Uint16(list[10:])) {
		free[native.Uint64(list[pageHead+8*i:])] = true
	}
	for id := uint64(2); id < p.pages; id++ {
		page := b[id*pageSize:][:pageSize]
		if !free[id] && native.Uint16(page[8:]) == flag && native.Uint64(page) == id {
			found = append(found, page)
		}
	}
	return found
}

// rootLeaf returns the page that holds the buckets a and b.
func rootLeaf(t *testing.T, b []byte) []byte {
	p, err := openPages(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	return b[p.root*p.pageSize:][:p.pageSize]
}

func TestEachKindOfTreeDamageIsNamed(t *testing.T) {
	sound := boltFile(t, 3000)
	leafValue := func(p []byte, i int) []byte { // of a bucket entry
		e := p[pageHead+i*elementSize:]
		return e[native.Uint32(e[4:])+native.Uint32(e[8:]):]
	}
	for name, damage := range map[string]func(b []byte){
		"two buckets with one root":      func(b []byte) { p := rootLeaf(t, b); copy(leafValue(p, 1)[:8], leafValue(p, 0)[:8]) },
		"a branch that is its own child": func(b []byte) { p := pagesOf(b, branchFlag)[0]; copy(p[pageHead+8:], p[:8]) },
		"two children that are one":      func(b []byte) { p := pagesOf(b, branchFlag)[0]; copy(p[pageHead+16+8:][:8], p[pageHead+8:][:8]) },
		"a child past the end":           func(b []byte) { native.PutUint64(pagesOf(b, branchFlag)[0][pageHead+8:], math.MaxUint64) },
		"keys out of order": func(b []byte) {
			p := pagesOf(b, leafFlag)[0]
			i := bytes.Index(p, []byte("key 00"))
			copy(p[i:], "kez 00")
		},
		"a key of no length":     func(b []byte) { native.PutUint32(pagesOf(b, leafFlag)[0][pageHead+8:], 0) },
		"a value past its page":  func(b []byte) { native.PutUint32(pagesOf(b, leafFlag)[0][pageHead+12:], 1<<30) },
		"an overflow too long":   func(b []byte) { native.PutUint32(pagesOf(b, leafFlag)[0][12:], 1<<30) },
		"an overflow one longer": func(b []byte) { pagesOf(b, leafFlag)[0][12]++ },
		"an entry less":          func(b []byte) { pagesOf(b, branchFlag)[0][10]-- },
		"a free page forgotten":  func(b []byte) { pagesOf(b, freelistFlag)[0][10]-- },
		"a page both used and free": func(b []byte) {
			native.PutUint64(pagesOf(b, freelistFlag)[0][pageHead:], native.Uint64(pagesOf(b, branchFlag)[0]))
		},
		"a free list of no end": func(b []byte) {
			p := pagesOf(b, freelistFlag)[0]
			native.PutUint16(p[10:], 0xffff)
			native.PutUint64(p[pageHead:], math.MaxUint64)
		},
	} {
		b := slices.Clone(sound)
		damage(b)
		if _, err := walkAll(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := openPages(bytes.NewReader(sound), int64(len(sound)))
	must(t, err)
	if _, err := openPages(bytes.NewReader(sound), int64(p.pages*p.pageSize)-1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a file too short: %v", err)
	}
}

func TestEveryByteOfABlockAndADocumentIsChecked(t *testing.T) {
	b := encodedBlock(t, space8, 20)
	h, err := parseHead(b[:encodedHead(t, b)], int64(len(b)))
	must(t, err)
	for i := range b {
		b[i] ^= 0x20
		if _, err := blockRows(b, h); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d of a block: %v", i, err)
		}
		if i < h.size {
			if n, err := blockHeadSize(b, int64(len(b))); err == nil {
				if _, err := parseHead(b[:n], int64(len(b))); !errors.Is(err, ErrCorrupt) {
					t.Fatalf("byte %d of a block's head: %v", i, err)
				}
			}
		}
		b[i] ^= 0x20
	}
	other := *h
	other.seq++
	swapped, err := other.encode(make([]byte, 20*32))
	must(t, err)
	if _, err := blockRows(swapped, h); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a sound block in the place of another: %v", err)
	}
	doc := document{seq: 3, name: "set/a", data: []byte("data")}
	d := doc.encode()
	for i := range d {
		d[i] ^= 0x20
		if _, err := parseDocument(d); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d of a document: %v", i, err)
		}
		d[i] ^= 0x20
	}
}

func encodedHead(t *testing.T, b []byte) int {
	n, err := blockHeadSize(b, int64(len(b)))
	must(t, err)
	return n
}

// TestSoundPagesWithTheWrongThingsAreNoticed edits the file with bbolt itself, which
// leaves no trace but in the ledger.
func TestSoundPagesWithTheWrongThingsAreNoticed(t *testing.T) {
	type edit func(blocks, docs *bbolt.Bucket, c *Cache) error
	seqs := func(c *Cache) (first, second []byte) {
		bs := c.state.spaces[space8.ID].blocks
		return seqKey(bs[0].seq), seqKey(bs[1].seq)
	}
	oldDoc := document{seq: 1, name: "d", data: []byte("from before")}
	for name, change := range map[string]edit{
		"nothing":      func(_, _ *bbolt.Bucket, _ *Cache) error { return nil },
		"a block less": func(b, _ *bbolt.Bucket, c *Cache) error { s, _ := seqs(c); return b.DeleteBucket(s) },
		"two blocks with their values exchanged": func(b, _ *bbolt.Bucket, c *Cache) error {
			s1, s2 := seqs(c)
			b1, b2 := b.Bucket(s1), b.Bucket(s2)
			v1, v2 := slices.Clone(b1.Get([]byte(blockKey))), slices.Clone(b2.Get([]byte(blockKey)))
			return errors.Join(b1.Put([]byte(blockKey), v2), b2.Put([]byte(blockKey), v1))
		},
		"a block twice": func(b, _ *bbolt.Bucket, c *Cache) error {
			s, _ := seqs(c)
			v := slices.Clone(b.Bucket(s).Get([]byte(blockKey)))
			binary.LittleEndian.PutUint64(v[16:], 99)
			sealBlock(v)
			again, err := b.CreateBucket(seqKey(99))
			return errors.Join(err, again.Put([]byte(blockKey), v))
		},
		"a document less": func(_, d *bbolt.Bucket, _ *Cache) error { return d.DeleteBucket([]byte("d")) },
		"an earlier document": func(_, d *bbolt.Bucket, _ *Cache) error {
			return d.Bucket([]byte("d")).Put([]byte(docKey), oldDoc.encode())
		},
		"a value too many": func(_, d *bbolt.Bucket, _ *Cache) error { return d.Bucket([]byte("d")).Put([]byte("x"), []byte("y")) },
	} {
		c := newCache(t, quick())
		w, err := c.Writer()
		must(t, err)
		must(t, w.Space(space8, native1))
		put(t, w, space8, keysOf(0, 40)...)
		must(t, w.PutDoc("d", []byte("now")))
		must(t, w.Close())
		db, err := bbolt.Open(c.path, 0o644, &bbolt.Options{Timeout: time.Second})
		must(t, err)
		must(t, db.Update(func(tx *bbolt.Tx) error {
			return change(tx.Bucket([]byte(blocksBucket)).Bucket([]byte(space8.ID)), tx.Bucket([]byte(docsBucket)), c)
		}))
		must(t, db.Close())
		_, err = Open(c.path, quick())
		r, verr := Verify(c.path)
		must(t, verr)
		if name == "nothing" {
			if err != nil || !r.OK() {
				t.Errorf("nothing was changed: %v, %v", err, r.Faults)
			}
			continue
		}
		if !errors.Is(err, ErrCorrupt) || r.OK() {
			t.Errorf("%s: open: %v, verify: %v", name, err, r.Faults)
		}
	}
}

// failingReader fails the n-th read, counted from 0, as a disk or a network does.
type failingReader struct {
	*bytes.Reader
	n int
}

var errRead = errors.New("input/output error")

func (r *failingReader) ReadAt(b []byte, off int64) (int, error) {
	r.n--
	if r.n == -1 {
		return 0, errRead
	}
	return r.Reader.ReadAt(b, off)
}

// A read that fails must not pass for a damaged meta page: the commit of the other page
// would be taken for the last, and a file be cut to the length that it had then.
func TestFailedReadIsNoDamage(t *testing.T) {
	sound := boltFile(t, 200)
	for _, damaged := range []int{-1, 0, 1} {
		b := bytes.Clone(sound)
		if damaged >= 0 {
			b[damaged*pageSize+pageHead+20] ^= 4
		}
		want, err := openPages(bytes.NewReader(b), int64(len(b)))
		must(t, err)
		for n := 0; ; n++ {
			r := &failingReader{bytes.NewReader(b), n}
			p, err := openPages(r, int64(len(b)))
			if err == nil && r.n >= 0 {
				break // it did not come that far
			}
			if !errors.Is(err, errRead) || errors.Is(err, ErrCorrupt) {
				t.Errorf("page %d damaged, read %d fails: %+v instead of %+v, %v", damaged, n, p, want.meta, err)
			}
		}
	}
}
