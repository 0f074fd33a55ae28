package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
)

// fixtureOf copies one of the decoder's fixtures to a place among photos.
func fixtureOf(t *testing.T, name, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "extract", "internal", "imaging", "testdata", "images", name))
	must(t, err)
	must(t, os.WriteFile(to, data, 0o644))
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(to, old, old))
}

// aged makes a cache look as an older version has left it, which noted otherwise, or not at all,
// which rows go with which decoder.
func aged(t *testing.T, path string, note []byte) (notes int) {
	t.Helper()
	c, err := cache.Open(path, cache.Options{})
	must(t, err)
	defer c.Close()
	w, err := c.Writer()
	must(t, err)
	for _, name := range c.Docs("decoded/") {
		must(t, w.PutDoc(name, note))
		notes++
	}
	must(t, w.Close())
	return notes
}

func TestRowsOfImagesThatAreReadOtherwiseNowAreComputedAgain(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 6)
	for class, name := range []string{"progressive.jpg", "cmyk-real.jpg"} {
		fixtureOf(t, name, filepath.Join(dir, "class"+string(rune('0'+class)), "odd-"+name))
	}
	fixtureOf(t, "s420-scans.jpg", filepath.Join(dir, "class0", "baseline.jpg"))
	time.Sleep(settle)
	o := ready(t, settings(dir))
	first, err := Extract(ctx, o, Silent)
	must(t, err)
	want := exported(t, o, Choice{})
	if first.Misses != 15 {
		t.Fatalf("%d of 15 computed", first.Misses)
	}
	again := func(what string, misses, opened int) {
		t.Helper()
		sum, err := Extract(ctx, o, Silent)
		must(t, err)
		if sum.Images != 15 || sum.Misses != misses || sum.Hits != 15-misses || sum.ImagesOpened != opened {
			t.Errorf("%s: %d misses, %d hits, %d opened; want %d misses", what, sum.Misses, sum.Hits, sum.ImagesOpened, misses)
		}
		sameFiles(t, what, want, exported(t, o, Choice{}))
	}
	again("a cache of this version", 0, 0)
	if n := aged(t, o.Cache.Path, nil); n == 0 {
		t.Error("nothing is noted of the decoder")
	}
	before, err := Plan(ctx, o, Silent)
	must(t, err)
	if before.ToExtract != 2 {
		t.Errorf("a forecast expects %d images to compute", before.ToExtract)
	}
	again("a cache of an older version", 2, 2)
	again("the same afterwards", 0, 0)
	aged(t, o.Cache.Path, []byte("1"))
	again("a cache of the version that reads fewer kinds", 0, 0)
}

func TestTheLookAtImagesOfAnOlderVersionCanBeInterrupted(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one image at a time
	dir := photos(t, 2, 6)
	fixtureOf(t, "progressive.jpg", filepath.Join(dir, "class0", "odd.jpg"))
	time.Sleep(settle)
	o := ready(t, settings(dir))
	_, err := Extract(context.Background(), o, Silent)
	must(t, err)
	aged(t, o.Cache.Path, nil)
	ctx, cancel := context.WithCancel(context.Background())
	p := &cancelAfter{Progress: Silent, n: 1, cancel: cancel, stage: "recheck"}
	if _, err := Extract(ctx, o, p); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted look at images ends with %v", err)
	}
	if looks := 1 - p.n; looks < 1 || looks > 2 {
		t.Errorf("it looked at %d images, of which 7 are no PNG", looks)
	}
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Misses != 1 || sum.Hits != 12 {
		t.Errorf("after it, %d images are computed and %d are hits", sum.Misses, sum.Hits)
	}
}

// A space that this version makes beside one of an older is known to be its own, and a merge
// of rows of an older version is not.
func TestMergedRowsOfAnOlderVersionAreNotTakenForNew(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 1, 2)
	fixtureOf(t, "progressive.jpg", filepath.Join(dir, "class0", "odd.jpg"))
	time.Sleep(settle)
	o := ready(t, settings(dir))
	o.Data.Train = dir
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	born := func(path string) bool {
		c, err := cache.Open(path, cache.Options{})
		must(t, err)
		defer c.Close()
		return slices.ContainsFunc(c.Docs("decoded/"), func(name string) bool { return strings.HasSuffix(name, "/born") })
	}
	into := filepath.Join(t.TempDir(), "a.db")
	merge := func() {
		j := journal.New(Silent, o.Words)
		store, err := features.OpenStore(ctx, into, 0, j)
		must(t, err)
		defer store.Close()
		_, err = features.MergeCaches(ctx, store, []string{o.Cache.Path}, j)
		must(t, err)
	}
	merge()
	if !born(o.Cache.Path) || !born(into) {
		t.Errorf("known to be new: %v, merged %v", born(o.Cache.Path), born(into))
	}
	aged(t, o.Cache.Path, nil)
	merge()
	if born(into) {
		t.Error("after a merge with an older cache all rows are taken for new")
	}
}
