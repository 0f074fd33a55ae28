package features

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// BenchmarkGrowth makes datasets of the sizes in ICEBOX_ROWS (10000,100000 where it is not
// set) and a cache that has a row of each item, and measures what a warm run does before it
// trains, but for the scan: it reads the dataset's document, compares, looks up and splits.
// Rows are short, as nothing reads them.
//
//	ICEBOX_ROWS=10000,1000000 go test -run '^$' -bench Growth -benchtime 1x ./pipeline/features
func BenchmarkGrowth(b *testing.B) {
	sizes := os.Getenv("ICEBOX_ROWS")
	if sizes == "" {
		sizes = "10000,100000"
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(size, func(b *testing.B) {
			for b.Loop() {
				growth(b, n)
			}
		})
	}
}

// nthKey is a key that any process can make again.
func nthKey(i int) (k cache.Key) {
	rng := rand.New(rand.NewPCG(uint64(i), 7))
	for at := 0; at < len(k); at += 8 {
		binary.LittleEndian.PutUint64(k[at:], rng.Uint64())
	}
	return k
}

// grown is a dataset of n images in 100 classes as a scan lists it; with content or without.
func grown(n int, hashed bool) *dataset.Dataset {
	ds := &dataset.Dataset{Name: "grown", Sources: dataset.Sources{Train: "/photos"}, Roots: []dataset.Root{{Dir: "/photos"}}, Split: dataset.Split{Val: 0.1}, Items: make([]dataset.Item, n)}
	for c := range 100 {
		ds.Classes = append(ds.Classes, fmt.Sprintf("class%03d", c))
	}
	for i := range ds.Items {
		it := &ds.Items[i]
		it.Label = int32(i * 100 / n)
		it.Path = fmt.Sprintf("%s/img%08d.jpg", ds.Classes[it.Label], i)
		it.Stat = dataset.Stat{Size: 100_000 + int64(i*7919%50_000), MTime: 1.7e18 + int64(i)*1e7, CTime: 1.7e18 + int64(i)*1e7 + 3, Inode: uint64(1000 + i)}
		if hashed {
			it.Hash = nthKey(i)
		}
	}
	return ds
}

func growth(b *testing.B, n int) {
	ctx, j := context.Background(), journal.New(nil, nil)
	path := filepath.Join(b.TempDir(), "grown.db")
	c, err := cache.OpenOrCreate(path, cache.Options{})
	check(b, err)
	w, err := c.Writer()
	check(b, err)
	check(b, w.Space(cache.Space{ID: "grown", DType: cache.Float32, Dim: 4}, cache.Producer{Engine: "native"}))
	for i := range n {
		check(b, w.Put("grown", nthKey(i), []float32{1, 2, 3, 4}))
	}
	check(b, w.Close())
	check(b, c.Close())

	lap := func(what string, work func()) {
		resetPeak()
		begin := time.Now()
		work()
		b.ReportMetric(time.Since(begin).Seconds(), "s/"+what)
		if peak := peakMB(); peak > 0 {
			b.ReportMetric(peak, "MB/"+what)
		}
	}
	var s *Store
	lap("open", func() { s, err = OpenStore(ctx, path, 0, j); check(b, err) })
	defer s.Close()
	ds := grown(n, true)
	lap("split", func() { check(b, s.storeDataset(ctx, ds, nil, dataset.ForTraining, "grown", j)) })
	doc, err := s.Doc("dataset/grown")
	check(b, err)
	b.ReportMetric(float64(len(doc))/float64(n), "B/item")

	ds, doc = grown(n, false), nil
	computer := &Computer{store: s, space: Space{ID: "grown"}, journal: j}
	var earlier *dataset.Dataset
	lap("load", func() { earlier, err = dataset.Load(s, dataset.ForTraining, "grown"); check(b, err) })
	lap("compare", func() {
		if ds.Since(earlier).Any() {
			b.Fatal("the dataset has changed")
		}
	})
	var inv *Inventory
	lap("look-up", func() { inv, err = computer.LookUp(ds, earlier, dataset.ForTraining); check(b, err) })
	if inv.found.Hits != n {
		b.Fatalf("%d of %d found", inv.found.Hits, n)
	}
	lap("keep", func() { check(b, s.storeDataset(ctx, ds, earlier, dataset.ForTraining, "grown", j)) })
	b.ReportMetric(0, "ns/op")
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// resetPeak lets [peakMB] count from now, where Linux can.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakMB is the most memory that was resident since resetPeak; 0 is not known.
func peakMB() (mb float64) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, _ := strconv.ParseFloat(f[1], 64)
			mb = kb / 1000
		}
	}
	return mb
}
