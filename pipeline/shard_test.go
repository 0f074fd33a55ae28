package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/shards"
)

// sharded is a dataset that is extracted in shards.
type sharded struct {
	o        Options
	manifest string
	parts    string
	of       int
}

func freeze(t *testing.T, o Options, of int) *sharded {
	t.Helper()
	s := &sharded{o, filepath.Join(t.TempDir(), "m"), filepath.Join(t.TempDir(), "parts"), of}
	f, err := Freeze(context.Background(), o, s.manifest, Silent)
	must(t, err)
	if f.Images == 0 || len(f.Hash) != 64 {
		t.Fatalf("%+v", f)
	}
	return s
}

// options name a shard. Its engine has passed the gate.
func (s *sharded) options(t *testing.T, i int) ShardOptions {
	t.Helper()
	so := ShardOptions{Manifest: s.manifest, Shard: shards.Shard{Index: i, Of: s.of}, Parts: s.parts, Scratch: t.TempDir()}
	m, err := shards.Open(context.Background(), s.manifest)
	must(t, err)
	o := s.o
	o.Cache.Path = filepath.Join(so.Scratch, scratchName(m, so.Shard), scratchCache)
	must(t, os.Mkdir(filepath.Dir(o.Cache.Path), 0o700))
	ready(t, o)
	return so
}

// extract computes a shard, with options that say nothing of how features are made.
func (s *sharded) extract(t *testing.T, i int) *ShardSummary {
	t.Helper()
	o := Default()
	o.Backbone.Engine, o.Engines, o.Extract.Workers = s.o.Backbone.Engine, s.o.Engines, 1
	sum, err := ExtractShard(context.Background(), o, s.options(t, i), Silent)
	must(t, err)
	return sum
}

// sameCache compares the rows and the documents of a dataset in two caches, bit by bit.
func sameCache(t *testing.T, a, b string) {
	t.Helper()
	x, err := cache.Open(a, cache.Options{})
	must(t, err)
	defer x.Close()
	y, err := cache.Open(b, cache.Options{})
	must(t, err)
	defer y.Close()
	spaces := x.Spaces()
	if len(spaces) != 1 || len(y.Spaces()) != 1 || y.Spaces()[0].ID != spaces[0].ID || !bytes.Equal(y.Spaces()[0].Info, spaces[0].Info) {
		t.Fatalf("spaces %v and %v", spaces, y.Spaces())
	}
	keys := slices.SortedFunc(x.Keys(spaces[0].ID), compareKeys)
	if got := slices.SortedFunc(y.Keys(spaces[0].ID), compareKeys); !slices.Equal(keys, got) || len(keys) == 0 {
		t.Fatalf("%d rows and %d, or others", len(keys), len(got))
	}
	rows := func(c *cache.Cache) []float32 {
		rows := make([]float32, len(keys)*spaces[0].Dim)
		missing, err := c.Lookup(spaces[0].ID, keys, rows)
		if err != nil || len(missing) > 0 {
			t.Fatal(missing, err)
		}
		return rows
	}
	if !slices.Equal(rows(x), rows(y)) {
		t.Error("the rows differ")
	}
	for _, prefix := range []string{"dataset/", "failures/", "limits/", "memory/"} {
		if !slices.Equal(x.Docs(prefix), y.Docs(prefix)) {
			t.Errorf("documents %q and %q", x.Docs(prefix), y.Docs(prefix))
		}
		for _, name := range x.Docs(prefix) {
			one, err := x.Doc(name)
			must(t, err)
			if other, err := y.Doc(name); err != nil || !bytes.Equal(one, other) {
				t.Errorf("document %s differs (%v)", name, err)
			}
		}
	}
}

func compareKeys(a, b cache.Key) int { return bytes.Compare(a[:], b[:]) }

// Shards that are merged make the cache that one process makes: rows, dataset, parts, and
// the images that are bad.
func TestMergedShardsAreOneExtraction(t *testing.T) {
	o := settings(photos(t, 3, 9))
	o.Extract.MaxFailureRate = 1
	o = ready(t, o)
	must(t, os.WriteFile(filepath.Join(o.Data.Train, "class1", "zz.jpg"), []byte("no picture"), 0o644))
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Computed != 27 || sum.Quarantined != 1 {
		t.Fatalf("%+v", sum)
	}
	elsewhere := o
	elsewhere.Cache.Path = filepath.Join(t.TempDir(), "merged.db")
	s := freeze(t, elsewhere, 4)
	for i := range s.of {
		if sum := s.extract(t, i); sum.Already || sum.Marker.Rows+sum.Marker.Dead != 7 {
			t.Errorf("shard %d: %+v, %+v", i, sum, sum.Marker)
		}
		if sum := s.extract(t, i); !sum.Already || sum.Computed != 0 || sum.Marker == nil {
			t.Errorf("shard %d again: %+v", i, sum)
		}
	}
	for range 2 { // merged once more, nothing changes
		merged, err := MergeParts(context.Background(), elsewhere, s.manifest, s.parts, Silent)
		must(t, err)
		if merged.Hits != 27 || merged.Quarantined != 1 || merged.Images != 28 {
			t.Errorf("merged: %+v", merged)
		}
		sameCache(t, o.Cache.Path, elsewhere.Cache.Path)
	}
	if _, err := os.Stat(filepath.Join(s.parts, "_SUCCESS")); err != nil {
		t.Error(err)
	}
	ready(t, elsewhere)
	again, err := Extract(context.Background(), elsewhere, Silent)
	must(t, err)
	if again.ImagesOpened != 0 || again.Computed != 0 {
		t.Errorf("after the merge %d images are opened and %d computed", again.ImagesOpened, again.Computed)
	}
	dead, err := os.ReadFile(filepath.Join(s.parts, "dead-00002-of-00004.jsonl"))
	if err != nil || !strings.Contains(string(dead), `"path":"class1/zz.jpg"`) {
		t.Errorf("dead letters %s, %v", dead, err)
	}
}

// Whatever lies in the folder of parts that does not belong there is an error, and no row of
// it gets into the cache.
func TestPartsThatDoNotBelongTogetherAreRefused(t *testing.T) {
	o := settings(photos(t, 2, 4))
	s := freeze(t, o, 2)
	merge := func(manifest string) error {
		_, err := MergeParts(context.Background(), o, manifest, s.parts, Silent)
		return err
	}
	if err := merge(s.manifest); !errors.Is(err, shards.ErrIncomplete) {
		t.Errorf("without a shard: %v", err)
	}
	s.extract(t, 0)
	if err := merge(s.manifest); !errors.Is(err, shards.ErrIncomplete) || !strings.HasSuffix(err.Error(), "1 of 2 are not done: 1") {
		t.Errorf("with one of two: %v", err)
	}
	part := s.extract(t, 1).Part
	sound, err := os.ReadFile(part)
	must(t, err)

	for _, n := range []int{0, 1, len(sound) / 2, len(sound) - 1} {
		must(t, os.WriteFile(part, sound[:n], 0o644))
		if err := merge(s.manifest); !errors.Is(err, shards.ErrPart) {
			t.Errorf("cut off at %d: %v", n, err)
		}
	}
	if sum := s.extract(t, 1); sum.Already || sum.Computed != 4 {
		t.Errorf("a damaged part is taken for a done one: %+v", sum)
	}
	if mended, err := os.ReadFile(part); err != nil || !bytes.Equal(mended, sound) {
		t.Error("the part that was made again differs", err)
	}
	must(t, os.Remove(part))
	if err := merge(s.manifest); !errors.Is(err, shards.ErrPart) {
		t.Errorf("without a part: %v", err)
	}
	must(t, os.WriteFile(part, sound, 0o644))

	writePicture(t, filepath.Join(o.Data.Train, "class0", "new.png"), 0, 99)
	other := freeze(t, o, 2)
	if err := merge(other.manifest); !errors.Is(err, shards.ErrMixed) {
		t.Errorf("parts of another manifest: %v", err)
	}
	another := s.options(t, 0)
	another.Manifest = other.manifest
	if _, err := ExtractShard(context.Background(), o, another, Silent); !errors.Is(err, shards.ErrMixed) {
		t.Errorf("a shard of another manifest beside them: %v", err)
	}
	three := *s
	three.of = 3
	third := three.options(t, 0)
	_, err = ExtractShard(context.Background(), o, third, Silent)
	must(t, err)
	if err := merge(s.manifest); !errors.Is(err, shards.ErrMixed) {
		t.Errorf("shards of 2 and of 3: %v", err)
	}
}

// A manifest says how features are made. Somebody who names another way is told.
func TestAManifestHoldsToItsFeatures(t *testing.T) {
	o := settings(photos(t, 2, 2))
	s := freeze(t, o, 1)
	wrong := s.options(t, 0)
	wrong.Made = []string{"Extract.Fit"}
	o.Extract.Fit = "squash"
	if _, err := ExtractShard(context.Background(), o, wrong, Silent); !errors.Is(err, features.ErrOtherFeatures) {
		t.Errorf("another fit: %v", err)
	}
	whole, err := os.ReadFile(s.manifest)
	must(t, err)
	for n := range whole {
		must(t, os.WriteFile(wrong.Manifest, whole[:n], 0o644))
		if _, err := shards.Open(context.Background(), wrong.Manifest); !errors.Is(err, shards.ErrManifest) {
			t.Fatalf("cut off at %d: %v", n, err)
		}
	}
	for n := range whole {
		flipped := slices.Clone(whole)
		flipped[n] ^= 1
		must(t, os.WriteFile(wrong.Manifest, flipped, 0o644))
		m, err := shards.Open(context.Background(), wrong.Manifest)
		if err == nil {
			_, err = m.Dataset(0, m.Items())
		}
		if !errors.Is(err, shards.ErrManifest) {
			t.Fatalf("byte %d flipped: %v", n, err)
		}
	}
}

// An image that is not as the manifest has it any more is a dead letter, and nothing of it is
// kept.
func TestAnImageThatChangedSinceTheManifestIsDead(t *testing.T) {
	o := settings(photos(t, 2, 3))
	s := freeze(t, o, 1)
	writePicture(t, filepath.Join(o.Data.Train, "class1", "000.jpg"), 0, 77)
	if sum := s.extract(t, 0); sum.Marker.Dead != 1 || sum.Marker.Rows != 5 {
		t.Errorf("%+v", sum.Marker)
	}
	sum, err := MergeParts(context.Background(), o, s.manifest, s.parts, Silent)
	must(t, err)
	if sum.Hits != 5 || sum.Misses != 1 || sum.Quarantined != 0 {
		t.Errorf("%+v", sum.Found)
	}
}

// A tar that was copied to another machine is the same one; one of another size is not.
func TestShardsOfATarThatWasCopied(t *testing.T) {
	dir := photos(t, 2, 3)
	o := settings(dir)
	o.Data.Train = archived(t, dir, "tar")
	s := freeze(t, o, 2)
	data, err := os.ReadFile(o.Data.Train)
	must(t, err)
	must(t, os.Remove(o.Data.Train))
	must(t, os.WriteFile(o.Data.Train, data, 0o644)) // of another time and number
	s.extract(t, 0)
	s.extract(t, 1)
	sum, err := MergeParts(context.Background(), o, s.manifest, s.parts, Silent)
	must(t, err)
	if sum.Hits != 6 {
		t.Errorf("%+v", sum.Found)
	}
	must(t, os.WriteFile(o.Data.Train, append(data, 0), 0o644))
	so := s.options(t, 0)
	so.Parts = t.TempDir()
	if _, err := ExtractShard(context.Background(), o, so, Silent); !errors.Is(err, dataset.ErrData) {
		t.Errorf("a tar of another size: %v", err)
	}
}

// The same shard by several processes at once is as one.
func TestDuplicatesOfAShardAtOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: one of them may pass the gate, which the engine of tests with the race detector does not")
	}
	o := settings(photos(t, 2, 6))
	s := freeze(t, o, 1)
	var all sync.WaitGroup
	so := s.options(t, 0)
	for range 3 {
		all.Go(func() {
			if _, err := ExtractShard(context.Background(), o, so, Silent); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	sum, err := MergeParts(context.Background(), o, s.manifest, s.parts, Silent)
	must(t, err)
	if sum.Hits != 12 {
		t.Errorf("%+v", sum.Found)
	}
	left, err := os.ReadDir(s.parts)
	must(t, err)
	if len(left) != 5 {
		t.Errorf("in the folder of parts are %v", left)
	}
}

func TestManifestRanges(t *testing.T) {
	ds := &dataset.Dataset{Name: "n", Roots: []dataset.Root{{Dir: "/a"}, {Dir: "/b.tar", Kind: dataset.Tar}}, Classes: []string{"x", "y"}}
	for i := range 20_000 {
		it := dataset.Item{Root: i % 2, Path: strings.Repeat("p", i%7) + "/" + string(rune('a'+i%26)), Label: int32(i % 2), Offset: int64(i), Stat: dataset.Stat{Size: int64(i)}}
		if i%3 == 0 {
			it.Hash = cache.Key{byte(i), byte(i >> 8), 1}
		}
		ds.Items = append(ds.Items, it)
	}
	path := filepath.Join(t.TempDir(), "m")
	made, err := shards.Write(context.Background(), path, ds, features.Space{ID: "s"})
	must(t, err)
	m, err := shards.Open(context.Background(), path)
	must(t, err)
	if m.Hash != made.Hash || m.Items() != 20_000 {
		t.Errorf("%s of %d, written as %s", m.Hash, m.Items(), made.Hash)
	}
	for _, of := range []int{1, 2, 3, 7, 19_999, 20_000} {
		at := 0
		for i := range of {
			first, end := shards.Shard{Index: i, Of: of}.Range(m.Items())
			if first != at {
				t.Fatalf("shard %d/%d begins at %d", i, of, first)
			}
			at = end
			if i > 3 && i < of-3 {
				continue
			}
			part, err := m.Dataset(first, end)
			must(t, err)
			if !slices.Equal(part.Items, ds.Items[first:end]) {
				t.Errorf("shard %d/%d has other items", i, of)
			}
		}
		if at != 20_000 {
			t.Errorf("%d shards end at %d", of, at)
		}
	}
}
