package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/npy"
	"icebox/pipeline/sweep"
)

// scarce lets rows that take more than so many bytes exceed the memory.
func scarce(t testing.TB, bytes int64) {
	t.Helper()
	above, limit := npy.MapAbove, debug.SetMemoryLimit(bytes)
	t.Cleanup(func() { npy.MapAbove = above; debug.SetMemoryLimit(limit) })
	npy.MapAbove = 0
}

func TestHeadIsTheSameWhereRowsExceedTheMemory(t *testing.T) {
	if !npy.CanMap {
		t.Skip("files are not mapped on this system")
	}
	ctx := context.Background()
	o := ready(t, settings(photos(t, 3, 8)))
	if _, err := Extract(ctx, o, Silent); err != nil {
		t.Fatal(err)
	}
	var heads [][]byte
	train := func() {
		for _, o.Head.Shuffle = range []headtrain.Shuffle{headtrain.ShuffleRows, headtrain.ShuffleBlocks} {
			s, err := Train(ctx, o, Choice{}, Silent)
			must(t, err)
			head, err := os.ReadFile(filepath.Join(*s.RunDir, "head.safetensors"))
			must(t, err)
			heads = append(heads, head)
		}
	}
	train()
	scarce(t, 1<<10)
	train()
	if !bytes.Equal(heads[0], heads[2]) || !bytes.Equal(heads[1], heads[3]) {
		t.Error("the head depends on the memory")
	}
}

// BenchmarkGrowth makes datasets of the sizes in ICEBOX_ROWS (10000 where it is not set) and a
// cache of their rows, and measures what is done with them: wall clock (s), processor time of
// all threads (cpu-s) and the most memory that is resident (MB). Rows of a class are scattered
// over the cache, as an extraction scatters them. With ICEBOX_DIM below 512, rows are so long,
// and nothing is trained on them: that a row is short changes little of the rest.
//
// The head is trained for an epoch with the rows in memory, if they take less than half of what
// is available, then as if memory could not hold them.
//
//	ICEBOX_ROWS=10000,100000 go test -run '^$' -bench Growth -benchtime 1x ./pipeline
func BenchmarkGrowth(b *testing.B) {
	sizes := os.Getenv("ICEBOX_ROWS")
	if sizes == "" {
		sizes = "10000"
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(size, func(b *testing.B) {
			for b.Loop() {
				g := &growth{B: b, n: n, dim: extract.Dim, ctx: context.Background(), j: journal.New(Silent, nil)}
				if dim, err := strconv.Atoi(os.Getenv("ICEBOX_DIM")); err == nil {
					g.dim = dim
				}
				g.measure()
			}
		})
	}
}

// growth is one size.
type growth struct {
	*testing.B
	n, dim int
	ctx    context.Context
	j      *journal.Journal
	o      Options
	space  cache.Space
}

func (g *growth) check(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

// lap measures work.
func (g *growth) lap(what string, work func()) {
	runtime.GC()
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak counts from now, where Linux can
	begin, spent := time.Now(), cpuSeconds()
	work()
	g.ReportMetric(time.Since(begin).Seconds(), "s/"+what)
	g.ReportMetric(cpuSeconds()-spent, "cpu-s/"+what)
	g.ReportMetric(peakMB(), "MB/"+what)
}

// cpuSeconds is the processor time of this process, as Linux tells it.
func cpuSeconds() float64 {
	text, _ := os.ReadFile("/proc/self/stat")
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100
}

// peakMB is the most memory that was resident, as Linux tells it.
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

// key is the content of item i, which any process can make again.
func (g *growth) key(i int) (k cache.Key) {
	rng := rand.New(rand.NewPCG(uint64(i), 7))
	for at := 0; at < len(k); at += 8 {
		binary.LittleEndian.PutUint64(k[at:], rng.Uint64())
	}
	return k
}

// scanned is the dataset as a scan lists it: 100 classes, and no content.
func (g *growth) scanned() *dataset.Dataset {
	ds := &dataset.Dataset{Name: "grown", Sources: dataset.Sources{Train: "/nowhere/photos"}, Roots: []dataset.Root{{Dir: "/nowhere/photos"}}, Split: g.o.Data.Split, Items: make([]dataset.Item, g.n)}
	for c := range 100 {
		ds.Classes = append(ds.Classes, fmt.Sprintf("class%03d", c))
	}
	for i := range ds.Items {
		it := &ds.Items[i]
		it.Label = int32(i * 100 / g.n)
		it.Path = fmt.Sprintf("%s/img%08d.jpg", ds.Classes[it.Label], i)
		it.Stat = dataset.Stat{Size: 100_000 + int64(i*7919%50_000), MTime: 1.7e18 + int64(i)*1e7, CTime: 1.7e18 + int64(i)*1e7 + 3, Inode: uint64(1000 + i)}
	}
	return ds
}

func (g *growth) measure() {
	g.o = settings(filepath.Join(g.TempDir(), "photos"))
	g.o.Head.Epochs, g.o.Head.Shuffle, g.o.Pictures = 1, headtrain.ShuffleBlocks, false
	g.o.Data.Split = dataset.Split{Val: 0.05, Test: 0.05}
	g.write()
	g.warm()
	g.tidy()
	if g.dim == extract.Dim {
		g.learn()
	}
	g.ReportMetric(0, "ns/op")
}

// write makes the cache.
func (g *growth) write() {
	x, err := extract.Open(g.ctx, g.o.extractOptions())
	g.check(err)
	space := features.SpaceOf(x, cache.Float32)
	g.check(x.Close())
	info, err := json.Marshal(space)
	g.check(err)
	g.space = cache.Space{ID: space.ID, DType: cache.Float32, Dim: g.dim, Info: info}
	c, err := cache.OpenOrCreate(g.o.Cache.Path, cache.Options{})
	g.check(err)
	defer c.Close()
	w, err := c.Writer()
	g.check(err)
	g.check(w.Space(g.space, cache.Producer{Engine: "native"}))
	row := make([]float32, g.dim)
	const step = 1_000_003 // a prime that divides no size
	for n := range g.n {
		i := n * step % g.n
		for j := range row {
			row[j] = float32((i*31+j*17)%1021)/512 + float32(i*100/g.n*(j+7)%13)/4
		}
		g.check(w.Put(g.space.ID, g.key(i), row))
	}
	g.check(w.Close())
	g.lap("split", func() {
		ds := g.scanned()
		for i := range ds.Items {
			ds.Items[i].Hash = g.key(i)
		}
		ds.AssignParts(nil)
		doc, err := ds.Encode()
		g.check(err)
		g.ReportMetric(float64(len(doc))/float64(g.n), "B/item")
		w, err := c.Writer()
		g.check(err)
		g.check(errors.Join(w.PutDoc(ds.Document(dataset.ForTraining), doc), w.Close()))
	})
}

// warm measures what a warm run does before it trains, but for the scan.
func (g *growth) warm() {
	var store *features.Store
	var err error
	g.lap("open", func() { store, err = features.OpenStore(g.ctx, g.o.Cache.Path, 0, g.j); g.check(err) })
	defer store.Close()
	computer, err := features.OpenComputer(g.ctx, g.o.extractOptions(), store, g.o.featureOptions(), g.j)
	g.check(err)
	defer computer.Close()
	ds := g.scanned()
	var earlier *dataset.Dataset
	g.lap("load", func() { earlier, err = dataset.Load(store, dataset.ForTraining, "grown"); g.check(err) })
	g.lap("look-up", func() {
		if ds.Since(earlier).Any() {
			g.Fatal("the dataset has changed")
		}
		src, err := computer.Features(g.ctx, ds, earlier, dataset.ForTraining)
		g.check(err)
		if hits := src.Found().Hits; hits != g.n {
			g.Fatalf("%d of %d found", hits, g.n)
		}
		noteDuplicates(ds, g.j)
	})
}

// tidy measures what is done to the file.
func (g *growth) tidy() {
	g.lap("verify", func() {
		report, err := cache.Verify(g.o.Cache.Path)
		g.check(err)
		if !report.OK() {
			g.Fatal(report.Faults)
		}
	})
	g.lap("forecast", func() {
		fc, err := cache.ForecastCompact(g.o.Cache.Path, cache.Options{})
		g.check(err)
		g.ReportMetric(fc.Seconds, "s/compact-forecast")
	})
	g.lap("compact", func() {
		report, err := cache.Compact(g.o.Cache.Path, cache.CompactOptions{})
		g.check(err)
		g.ReportMetric(float64(report.After)/float64(g.n), "B/row")
	})
}

// learn measures an epoch and a sweep of eight heads.
func (g *growth) learn() {
	what := "in-memory"
	train := func() {
		s, err := Train(g.ctx, g.o, Choice{Dataset: "grown"}, Silent)
		g.check(err)
		for _, stage := range s.Log.Stages {
			if stage.Name == "gather" || stage.Name == "train" {
				g.ReportMetric(stage.Seconds, "s/"+stage.Name+"-"+what)
			}
		}
	}
	if bytes := int64(g.n) * 4 * extract.Dim; bytes < features.AvailableMemory(os.DirFS("/"))/2 {
		g.lap("run-in-memory", train)
	}
	limit := max(1<<20, int64(g.n)*4*extract.Dim*9/10)
	scarce(g, limit)
	what = "paged"
	g.lap("run-paged", train)
	g.o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{1e-4, 2e-4, 4e-4, 8e-4, 1e-3, 2e-3, 4e-3, 8e-3}}}
	g.lap("sweep-paged", func() {
		_, err := RunSweep(g.ctx, g.o, SweepRun{Choice: Choice{Dataset: "grown"}}, Silent)
		g.check(err)
	})
}
