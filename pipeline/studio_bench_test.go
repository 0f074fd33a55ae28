package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/studio"
)

// made fills a cache with n random features of ten classes.
func made(b *testing.B, n int) Options {
	b.Helper()
	o := ready(b, settings(photos(b, 2, 4)))
	sum, err := Extract(context.Background(), o, Silent)
	if err != nil {
		b.Fatal(err)
	}
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	w, err := c.Writer()
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range c.Spaces() {
		if s.ID == sum.Space {
			if err := w.Space(s.Space, s.Producers[0].Producer); err != nil {
				b.Fatal(err)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	ds := &dataset.Dataset{Name: "made", Roots: []dataset.Root{{Dir: "/none"}}, Sources: dataset.Sources{Train: "/none"}}
	for k := range 10 {
		ds.Classes = append(ds.Classes, fmt.Sprint("class", k))
	}
	x := make([]float32, extract.Dim)
	for i := range n {
		it := dataset.Item{Path: fmt.Sprintf("%06d.jpg", i), Label: int32(i % 10), Part: dataset.Train}
		if i%6 == 5 {
			it.Part = dataset.Test
		}
		for k := range it.Hash {
			it.Hash[k] = byte(rng.Uint32())
		}
		for j := range x {
			x[j] = float32(max(0, rng.NormFloat64()+0.4+map[bool]float64{true: 0.35}[(j*7+i%10)%10 < 2]))
		}
		if err := w.Put(sum.Space, it.Hash, x); err != nil {
			b.Fatal(err)
		}
		ds.Items = append(ds.Items, it)
	}
	doc, err := ds.Encode()
	if err := errors.Join(err, w.PutDoc(ds.Document(dataset.ForTraining), doc), w.Close()); err != nil {
		b.Fatal(err)
	}
	o.Data.Train = ""
	return o
}

// BenchmarkStudio is the time from a change of a label to new numbers: at once, and those of
// the very recipe.
func BenchmarkStudio(b *testing.B) {
	for _, n := range []int{6_000, 50_000} {
		o := made(b, n)
		for _, optimizer := range []string{headtrain.OptimizerAdam, headtrain.OptimizerLBFGS} {
			b.Run(fmt.Sprintf("%d/%s", n, optimizer), func(b *testing.B) {
				o := o
				o.Data.Corrections = filepath.Join(b.TempDir(), "c.csv")
				o.Head.Optimizer, o.Head.WeightDecay = optimizer, 0.03
				if optimizer == headtrain.OptimizerLBFGS {
					o.Head.Epochs = 1000
				}
				s, err := OpenStudio(context.Background(), o, Choice{Dataset: "made", KeepSplit: true}, true, Silent)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				wait := func(version int, ok func(n *studio.Numbers) bool) {
					for {
						if n := s.Numbers(); n.Version == version && ok(n) {
							return
						}
						time.Sleep(time.Millisecond)
					}
				}
				wait(0, func(n *studio.Numbers) bool { return n.Doubted })
				first, exact, doubts := time.Duration(0), time.Duration(0), time.Duration(0)
				for i := 0; b.Loop(); i++ {
					start := time.Now()
					e, err := s.Change(studio.Request{Items: []int{i * 7 % n}, Action: corrections.Relabel, Class: fmt.Sprint("class", i%10)})
					if err != nil {
						b.Fatal(err)
					}
					wait(e.Version, func(n *studio.Numbers) bool { return true })
					first += time.Since(start)
					wait(e.Version, func(n *studio.Numbers) bool { return n.Exact })
					exact += time.Since(start)
					wait(e.Version, func(n *studio.Numbers) bool { return n.Doubted })
					doubts += time.Since(start)
				}
				ms := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(b.N) }
				b.ReportMetric(ms(first), "ms/first")
				b.ReportMetric(ms(exact), "ms/exact")
				b.ReportMetric(ms(doubts), "ms/doubts")
			})
		}
	}
}
