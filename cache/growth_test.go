package cache

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkGrowth writes caches of the sizes in ICEBOX_ROWS (10000,100000 where it is not set)
// through the real writer, and measures what grows with them: the file, opening it and the
// memory of an open one, a look-up of every key, one of a thousand rows, and verification.
//
//	ICEBOX_ROWS=10000,100000,1000000 go test -run '^$' -bench Growth -benchtime 1x ./cache
func BenchmarkGrowth(b *testing.B) {
	sizes := os.Getenv("ICEBOX_ROWS")
	if sizes == "" {
		sizes = "10000,100000"
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		must(b, err)
		b.Run(size, func(b *testing.B) {
			for b.Loop() {
				growth(b, n)
			}
		})
	}
}

// nthKey is a key that any process can make again.
func nthKey(i int) (k Key) {
	rng := rand.New(rand.NewPCG(uint64(i), 7))
	for at := 0; at < len(k); at += 8 {
		binary.LittleEndian.PutUint64(k[at:], rng.Uint64())
	}
	return k
}

func growth(b *testing.B, n int) {
	path := filepath.Join(b.TempDir(), "grown.db")
	clock := time.Now()
	lap := func(what string) {
		b.ReportMetric(time.Since(clock).Seconds(), what)
		clock = time.Now()
	}
	writeRows(b, path, n)
	lap("s/write")
	fi, err := os.Stat(path)
	must(b, err)
	b.ReportMetric(float64(fi.Size())/float64(n), "B/row")

	before := heap()
	clock = time.Now()
	c, err := Open(path, Options{})
	must(b, err)
	lap("s/open")
	b.ReportMetric((heap()-before)/float64(n), "heap-B/row")
	clock = time.Now()
	for i := range n {
		if !c.Has("grown", nthKey(i)) {
			b.Fatalf("key %d is missing", i)
		}
	}
	lap("s/has-all")
	keys, rows := make([]Key, 1000), make([]float32, 1000*512)
	for i := range keys {
		keys[i] = nthKey(i * (n / len(keys)))
	}
	clock = time.Now()
	_, err = c.Lookup("grown", keys, rows)
	must(b, err)
	lap("s/1000-rows")
	must(b, c.Close())
	report, err := Verify(path)
	must(b, err)
	if !report.OK() {
		b.Fatal(report.Faults)
	}
	lap("s/verify")
	b.ReportMetric(0, "ns/op")
}

// writeRows makes a cache of n rows.
func writeRows(b *testing.B, path string, n int) {
	c, err := OpenOrCreate(path, Options{})
	must(b, err)
	defer c.Close()
	w, err := c.Writer()
	must(b, err)
	must(b, w.Space(Space{ID: "grown", DType: Float32, Dim: 512}, Producer{Engine: "native"}))
	row := make([]float32, 512)
	for i := range n {
		for j := range row {
			row[j] = float32((i*31+j*17)%1021) / 512
		}
		must(b, w.Put("grown", nthKey(i), row))
	}
	must(b, w.Close())
}

// heap is how many bytes live on the heap.
func heap() float64 {
	runtime.GC()
	runtime.GC() // what finalizers held goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
