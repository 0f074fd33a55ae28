package pipeline

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/predictions"
	"icebox/pipeline/runs"
)

// BenchmarkScore answers for 50,000 files whose features are in the cache, and writes a row
// a file, in each format.
func BenchmarkScore(b *testing.B) {
	const files = 50_000
	o := ready(b, settings(photos(b, 2, 8)))
	run, err := Run(context.Background(), o, Silent)
	if err != nil {
		b.Fatal(err)
	}
	head, _, err := runs.Head(*run.RunDir)
	if err != nil {
		b.Fatal(err)
	}
	pool := b.TempDir()
	fillPool(b, o.Cache.Path, head.Fingerprint, pool, files, 100)
	score := func(ending string) {
		s, sum, err := OpenScorer(context.Background(), *run.RunDir, []dataset.Place{{Path: pool}}, o, Silent)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		w, err := predictions.Create(filepath.Join(b.TempDir(), "answers"+ending), predictions.Layout{Classes: s.Classes()}, true)
		if err != nil {
			b.Fatal(err)
		}
		defer w.Abandon()
		rows := 0
		for row, err := range s.Rows(context.Background()) {
			if err != nil || row.Err != "" || w.Write(row) != nil {
				b.Fatal(err, row.Err)
			}
			rows++
		}
		if err := w.Close(); err != nil || rows != files || sum.Computed > 0 {
			b.Fatal(err, rows, sum.Computed)
		}
	}
	score(".csv") // it hashes the files
	for _, ending := range predictions.Endings() {
		b.Run(ending[1:], func(b *testing.B) {
			for b.Loop() {
				score(ending)
			}
			b.ReportMetric(files*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// fillPool writes n files to so many folders in dir, and a row for the content of each to
// a space of the cache. Rows of a folder are alike.
func fillPool(b *testing.B, path, space, dir string, n, folders int) {
	c, err := cache.OpenOrCreate(path, cache.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	w, err := c.Writer()
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range c.Spaces() {
		if s.ID == space {
			if err := w.Space(s.Space, cache.Producer{Engine: "benchmark"}); err != nil {
				b.Fatal(err)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	row := make([]float32, extract.Dim)
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("%02d", i%folders), fmt.Sprintf("%05d.jpg", i))
		content := fmt.Appendf(nil, "file %d", i)
		for j := range row {
			row[j] = rng.Float32()
			if j%folders == i%folders {
				row[j] += 0.2
			}
		}
		if i < folders {
			err = os.Mkdir(filepath.Dir(name), 0o755)
		}
		if err == nil {
			err = os.WriteFile(name, content, 0o644)
		}
		if err == nil {
			err = w.Put(space, sha256.Sum256(content), row)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	time.Sleep(settle)
}
