package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	space8    = Space{ID: "aaaa8", DType: Float32, Dim: 8, Info: []byte(`{"of":"eight"}`)}
	spaceHalf = Space{ID: "bbbb16", DType: Float16, Dim: 24}
	spaceWide = Space{ID: "cccc300", DType: Float32, Dim: 300}
	native1   = Producer{Engine: "native", ISA: "avx2", Plan: "im2col", Version: 1}
	native2   = Producer{Engine: "native", ISA: "avx512", Plan: "im2col", Version: 2}
)

// quick are options for tests: small blocks, no commits by time.
func quick() Options {
	return Options{BlockRows: 16, FlushEvery: time.Hour, LockWait: 5 * time.Second}
}

func keyOf(i int) Key { return sha256.Sum256(fmt.Append(nil, i)) }

func keysOf(from, to int) []Key {
	var keys []Key
	for i := from; i < to; i++ {
		keys = append(keys, keyOf(i))
	}
	return keys
}

// rowOf is the only right row of k in s; its numbers are exact in float16.
func rowOf(s Space, k Key) []float32 {
	row := make([]float32, s.Dim)
	for i := range row {
		row[i] = float32(int8(k[(i+len(s.ID))%len(k)])) + float32(i)/4
	}
	return row
}

func newCache(t testing.TB, o Options) *Cache {
	t.Helper()
	c, err := OpenOrCreate(filepath.Join(t.TempDir(), "deep", "er", "test.db"), o)
	must(t, err)
	return c
}

func put(t tester, w *Writer, s Space, keys ...Key) {
	t.Helper()
	for _, k := range keys {
		must(t, w.Put(s.ID, k, rowOf(s, k)))
	}
}

// fill opens a writer, puts keys into each space and closes it.
func fill(t tester, c *Cache, keys []Key, spaces ...Space) {
	t.Helper()
	w, err := c.Writer()
	must(t, err)
	for _, s := range spaces {
		must(t, w.Space(s, native1))
		put(t, w, s, keys...)
	}
	must(t, w.Close())
}

// wantRows checks that all keys are there with the right rows.
func wantRows(t tester, c *Cache, s Space, keys []Key) {
	t.Helper()
	dst := make([]float32, len(keys)*s.Dim)
	missing, err := c.Lookup(s.ID, keys, dst)
	must(t, err)
	if len(missing) > 0 {
		t.Fatalf("%d of %d keys of space %s are missing, the first at %d", len(missing), len(keys), s.ID, missing[0])
	}
	if i := wrongRow(s, keys, dst); i >= 0 {
		t.Fatalf("space %s: row %d is %v, want %v", s.ID, i, dst[i*s.Dim:][:s.Dim], rowOf(s, keys[i]))
	}
}

// wrongRow returns the place of a row that is not right, -1 if all are.
func wrongRow(s Space, keys []Key, rows []float32) int {
	for i, k := range keys {
		for j, v := range rowOf(s, k) {
			if rows[i*s.Dim+j] != v {
				return i
			}
		}
	}
	return -1
}

func wantSound(t tester, path string) Report {
	t.Helper()
	r, err := Verify(path)
	must(t, err)
	if !r.OK() {
		t.Fatalf("%s is not sound: %v", path, r.Faults)
	}
	return r
}

// wantOneShort checks that no space has two short blocks of one producer.
func wantOneShort(t tester, c *Cache) {
	t.Helper()
	for id, x := range c.state.spaces {
		short := map[Producer]int{}
		for _, b := range x.blocks {
			if len(b.keys) < c.opts.BlockRows {
				if short[b.producer]++; short[b.producer] > 1 {
					t.Fatalf("space %s has two short blocks of %v", id, b.producer)
				}
			}
		}
	}
}

// wantFresh checks that the index, brought up to date commit by commit, is what a
// new reading of the file gives.
func wantFresh(t tester, c *Cache) {
	t.Helper()
	again, err := Open(c.path, c.opts)
	must(t, err)
	defer again.Close()
	if a, b := fmt.Sprintf("%+v", c.state.ledger), fmt.Sprintf("%+v", again.state.ledger); a != b {
		t.Fatalf("ledger in memory\n%s\non disk\n%s", a, b)
	}
	if c.state.txid != again.state.txid || c.state.free != again.state.free {
		t.Fatalf("txid %d with %d free pages in memory, %d with %d on disk", c.state.txid, c.state.free, again.state.txid, again.state.free)
	}
	for id, x := range c.state.spaces {
		y := again.state.spaces[id]
		if y == nil || x.rows != y.rows || len(x.blocks) != len(y.blocks) {
			t.Fatalf("space %s differs in memory and on disk", id)
		}
		for _, b := range x.blocks {
			i := y.slot(b.seq)
			if i < 0 || y.blocks[i].off != b.off || y.blocks[i].length != b.length || !bytes.Equal(keyBytes(y.blocks[i].keys), keyBytes(b.keys)) {
				t.Fatalf("space %s: block %d differs in memory and on disk", id, b.seq)
			}
		}
	}
	for name, ref := range c.state.docs {
		if again.state.docs[name] != ref {
			t.Fatalf("document %s is at %v in memory, at %v on disk", name, ref, again.state.docs[name])
		}
	}
}

func readFile(t tester, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

// putChecksum corrects the checksum at the end of an encoded value.
func putChecksum(v []byte) {
	binary.LittleEndian.PutUint32(v[len(v)-4:], checksum(v[:len(v)-4]))
}

// tester is what *testing.T, *testing.B and *rapid.T have in common here.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
