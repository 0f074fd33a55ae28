package cache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// sealBlock corrects both checksums of a block, so that a fuzzer gets past them.
func sealBlock(b []byte) {
	if n, err := blockHeadSize(b, int64(len(b))); err == nil && n < len(b)-4 {
		copy(b[n-8:], littleCRC(b[:n-8]))
	}
	putChecksum(b)
}

func littleCRC(b []byte) []byte {
	v := append(bytes.Clone(b), 0, 0, 0, 0)
	putChecksum(v)
	return v[len(b):]
}

func encodedBlock(tb testing.TB, s Space, n int) []byte {
	h := &blockHead{seq: 7, space: s.ID, dtype: s.DType, dim: s.Dim, producer: native1, keys: keysOf(0, n)}
	var rows []byte
	for _, k := range h.keys {
		var err error
		rows, err = appendRow(rows, s.DType, rowOf(s, k))
		must(tb, err)
	}
	b, err := h.encode(rows)
	must(tb, err)
	return b
}

func FuzzBlock(f *testing.F) {
	for _, s := range allSpaces {
		f.Add(encodedBlock(f, s, 1), false)
		f.Add(encodedBlock(f, s, 40), true)
	}
	f.Add([]byte(blockMagic), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal && len(b) >= 4 {
			b = bytes.Clone(b)
			sealBlock(b)
		}
		n, err := blockHeadSize(b, int64(len(b)))
		if err != nil {
			return
		}
		h, err := parseHead(b[:n], int64(len(b)))
		if err != nil {
			wantClass(t, err)
			return
		}
		rows, err := blockRows(b, h)
		if err != nil {
			wantClass(t, err)
			return
		}
		if len(rows) != len(h.keys)*h.dim*h.dtype.size() {
			t.Fatalf("%d bytes of rows for %d keys of %d %s", len(rows), len(h.keys), h.dim, h.dtype)
		}
		readRow(make([]float32, h.dim), h.dtype, rows[:h.rowBytes()])
		again := *h
		out, err := again.encode(rows)
		must(t, err)
		h2, err := parseHead(out[:again.size], int64(len(out)))
		must(t, err)
		if h2.seq != h.seq || h2.space != h.space || h2.producer != h.producer || !bytes.Equal(keyBytes(h2.keys), keyBytes(h.keys)) {
			t.Fatalf("%+v was encoded as %+v", h, h2)
		}
	})
}

func FuzzDocument(f *testing.F) {
	l := ledger{Next: 9, Spaces: []ledgerSpace{{Space: space8, Rows: 3, Blocks: tally{1, 2}}}}
	b, err := l.encode()
	must(f, err)
	f.Add(b, false)
	doc := document{seq: 3, name: "set/a", data: bytes.Repeat([]byte("xy"), 2000)}
	f.Add(doc.encode(), true)
	f.Add([]byte(docMagic), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal && len(b) >= 4 {
			b = bytes.Clone(b)
			putChecksum(b)
		}
		d, err := parseDocument(b)
		if err != nil {
			wantClass(t, err)
			return
		}
		again, err := parseDocument(d.encode())
		must(t, err)
		if again.seq != d.seq || again.name != d.name || !bytes.Equal(again.data, d.data) {
			t.Fatal("the document changes when it is encoded again")
		}
		if _, err := parseLedger(b); err != nil {
			wantClass(t, err)
		}
	})
}

func wantClass(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
		t.Fatalf("not of a class of its own: %v", err)
	}
}

// FuzzFile lets all of a file's pages be anything.
func FuzzFile(f *testing.F) {
	f.Add(readFile(f, filepath.Join("testdata", "v1.db")), 5000, []byte{1, 2, 3})
	f.Add([]byte{}, 0, []byte{})
	f.Fuzz(func(t *testing.T, b []byte, at int, patch []byte) {
		b = bytes.Clone(b)
		if at >= 0 && at < len(b) {
			copy(b[at:], patch)
		}
		path := filepath.Join(t.TempDir(), "fuzz.db")
		must(t, os.WriteFile(path, b, 0o644))
		if _, err := Verify(path); err != nil && !isOurs(err) {
			t.Fatal(err)
		}
		c, err := Open(path, quick())
		if err != nil {
			if !isOurs(err) {
				t.Fatal(err)
			}
			return
		}
		w, err := c.Writer()
		must(t, err)
		c.noSync = true
		if err := errors.Join(w.PutDoc("d", []byte("x")), w.Close()); err != nil && !isOurs(err) {
			t.Fatal(err)
		}
	})
}

// FuzzLockFile holds that a lock file may say anything: whoever waits is told something, and
// what is no lock file is not written to.
func FuzzLockFile(f *testing.F) {
	f.Add([]byte(`{"pid":1,"host":"h","command":"icebox run","since":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"pid":` + "\x00\x00"))
	f.Add([]byte("\x00\x00\x00"))
	f.Add([]byte("a file of somebody"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(dir, "set.db")
		must(t, os.WriteFile(lockPath(path), text, 0o644))
		file, err := openLock(path)
		must(t, err)
		if readOwner(file) == "" {
			t.Error("nobody holds the lock")
		}
		must(t, file.Close())
		c, err := takeClaim(path, quick())
		if err != nil {
			if left := readFile(t, lockPath(path)); !bytes.Equal(left, text) {
				t.Errorf("%v, but %q was written over %q", err, left, text)
			}
			return
		}
		must(t, c.release())
	})
}
