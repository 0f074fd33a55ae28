package embed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline"
	"icebox/pipeline/embed"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens an embedder with random weights.
func open(t *testing.T, o embed.Options) *embed.Embedder {
	t.Helper()
	o.Backbone.Weights = "random:7"
	e, err := embed.Open(context.Background(), o)
	must(t, err)
	return e
}

func pictures(t *testing.T, n int) [][]byte {
	t.Helper()
	var all [][]byte
	for i := range n {
		data, err := extract.Encode(drawn(uint8(20 + 10*i)))
		must(t, err)
		all = append(all, data)
	}
	return all
}

// What a program computes, the command finds, and the rows are those of an Extractor.
func TestProgramAndCommandShareRows(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: the backbone takes minutes under the race detector")
	}
	ctx, dir := context.Background(), t.TempDir()
	images := pictures(t, 12)
	db := filepath.Join(dir, "deep", "f.db")
	e := open(t, embed.Options{Cache: db})
	x, errs, err := e.Images(ctx, append(slices.Clone(images), []byte("no image"), images[3])...)
	must(t, err)
	for i, fault := range errs {
		if bad := i == 12; bad != (fault != nil) || bad && !errors.Is(fault, extract.ErrImageFormat) {
			t.Errorf("image %d: %v", i, fault)
		}
	}
	row := func(i int) []float32 { return x[i*extract.Dim : (i+1)*extract.Dim] }
	if !slices.Equal(row(3), row(13)) || slices.Max(row(12)) != 0 {
		t.Error("a copy has another row, or a bad image has one")
	}
	if hits, computed := e.Counts(); hits != 1 || computed != 12 {
		t.Errorf("%d hits, %d computed", hits, computed)
	}
	must(t, e.Close())

	without := open(t, embed.Options{})
	plain, _, err := without.Images(ctx, images...)
	must(t, err)
	if !slices.Equal(plain, x[:12*extract.Dim]) {
		t.Error("without a cache, rows differ")
	}
	must(t, without.Close())

	for i, data := range images {
		path := filepath.Join(dir, "photos", []string{"dark", "light"}[i/6], fmt.Sprintf("%d.png", i))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, data, 0o600))
	}
	o := pipeline.Default()
	o.Data.Train, o.Backbone.Weights, o.Cache.Path, o.Output.Dir = filepath.Join(dir, "photos"), "random:7", db, filepath.Join(dir, "runs")
	run, err := pipeline.Run(ctx, o, pipeline.Silent)
	must(t, err)
	if run.Hits != 12 || run.Computed != 0 || run.Quality.Judged != 12 {
		t.Errorf("the command finds %d rows, computes %d, and knows %d pictures", run.Hits, run.Computed, run.Quality.Judged)
	}
	if report, err := cache.Verify(db); err != nil || !report.OK() {
		t.Errorf("%v %v", report, err)
	}

	// A head of the command fits, one of this program fits the command.
	again := open(t, embed.Options{Cache: db})
	head, err := headtrain.LoadHead(filepath.Join(*run.RunDir, "head.safetensors"))
	must(t, err)
	must(t, again.Check(head))
	must(t, again.Describe(head))
	file := filepath.Join(dir, "own.safetensors")
	must(t, head.Save(file))
	data, err := os.ReadFile(file)
	must(t, err)
	if head, err = headtrain.DecodeHead(data); err != nil || again.Check(head) != nil {
		t.Errorf("%v", err)
	}
	must(t, again.Close())
	p, err := pipeline.OpenPredictor(ctx, file, o)
	must(t, err)
	must(t, p.Close())
	half := open(t, embed.Options{Cache: db, DType: cache.Float16})
	if err := half.Check(head); !errors.Is(err, headtrain.ErrFingerprint) {
		t.Errorf("a head meets features of another type: %v", err)
	}
	must(t, half.Close())
}

// Goroutines share an embedder, and another process may hold the cache.
func TestManyAskAtOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: the backbone takes minutes under the race detector")
	}
	ctx := context.Background()
	images := pictures(t, 6)
	db := filepath.Join(t.TempDir(), "f.db")
	e := open(t, embed.Options{Cache: db})
	var all sync.WaitGroup
	for i := range images {
		all.Go(func() {
			if _, err := e.Image(ctx, images[(i+i/3)%len(images)]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	held, err := cache.Open(db, cache.Options{})
	must(t, err)
	w, err := held.Writer()
	must(t, err)
	if _, err := e.Image(ctx, images[0]); err != nil {
		t.Errorf("a row that is there needs no writer: %v", err)
	}
	if _, err := e.Image(ctx, pictures(t, 8)[7]); !errors.Is(err, cache.ErrLocked) {
		t.Errorf("a new row beside another writer: %v", err)
	}
	must(t, errors.Join(w.Close(), held.Close()))
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := e.Image(stopped, pictures(t, 8)[7]); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	must(t, e.Close())
}
