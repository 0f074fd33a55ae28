package cache

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// benchRows makes n rows of 512 numbers.
func benchRows(n int) ([]Key, []float32) {
	rng := rand.New(rand.NewPCG(1, 2))
	keys, rows := make([]Key, n), make([]float32, n*512)
	for i := range keys {
		for j := range keys[i] {
			keys[i][j] = byte(rng.Uint32())
		}
	}
	for i := range rows {
		rows[i] = rng.Float32()
	}
	return keys, rows
}

func benchCache(b *testing.B, d DType, keys []Key, rows []float32) string {
	path := filepath.Join(b.TempDir(), "bench.db")
	c, err := OpenOrCreate(path, Options{})
	must(b, err)
	defer c.Close()
	w, err := c.Writer()
	must(b, err)
	must(b, w.Space(Space{ID: "bench", DType: d, Dim: 512}, Producer{Engine: "native"}))
	for i, k := range keys {
		must(b, w.Put("bench", k, rows[i*512:][:512]))
	}
	must(b, w.Close())
	return path
}

func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{6000, 50000} {
		keys, rows := benchRows(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(n) * 2048)
			var path string
			for b.Loop() {
				path = benchCache(b, Float32, keys, rows)
			}
			c, err := Open(path, Options{})
			must(b, err)
			st, err := c.Stat()
			must(b, err)
			b.ReportMetric(float64(st.FileBytes)/float64(st.RawBytes), "size/raw")
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{6000, 50000} {
		keys, rows := benchRows(n)
		path := benchCache(b, Float32, keys, rows)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				c, err := Open(path, Options{})
				must(b, err)
				c.Close()
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	const n = 50000
	keys, rows := benchRows(n)
	dst := make([]float32, len(rows))
	b.Run("memcpy", func(b *testing.B) {
		b.SetBytes(n * 2048)
		for b.Loop() {
			copy(dst, rows)
		}
	})
	for _, d := range []DType{Float32, Float16} {
		c, err := Open(benchCache(b, d, keys, rows), Options{})
		must(b, err)
		order := append([]Key(nil), keys...)
		run := func(b *testing.B) {
			b.SetBytes(n * 2048)
			for b.Loop() {
				if missing, err := c.Lookup("bench", order, dst); err != nil || len(missing) > 0 {
					b.Fatal(missing, err)
				}
			}
		}
		b.Run(string(d)+"/ordered", run)
		rand.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		b.Run(string(d)+"/shuffled", run)
	}
}

func BenchmarkHas(b *testing.B) {
	keys, rows := benchRows(50000)
	c, err := Open(benchCache(b, Float32, keys, rows), Options{})
	must(b, err)
	for b.Loop() {
		for _, k := range keys {
			if !c.Has("bench", k) {
				b.Fatal("key is missing")
			}
		}
	}
}
