package dataset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/cache"
)

// docs are documents in memory.
type docs map[string][]byte

func (d docs) Doc(name string) ([]byte, error) {
	if doc, ok := d[name]; ok {
		return doc, nil
	}
	return nil, cache.ErrNoDoc
}

func (d docs) Docs(prefix string) (names []string) {
	for name := range d {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

// keep stores ds for training, its items hashed by their paths.
func (d docs) keep(t *testing.T, ds *Dataset) {
	t.Helper()
	for i := range ds.Items {
		ds.Items[i].Hash = cache.Key{1, byte(i)}
	}
	doc, err := ds.Encode()
	must(t, err)
	d[ds.Document(ForTraining)] = doc
}

func TestSeveralSourcesAreOneDataset(t *testing.T) {
	a := filepath.Join(tree(t, "photos/cat/1.jpg", "photos/dog/1.jpg"), "photos")
	b := filepath.Join(tree(t, "photos/train/cat/1.jpg", "photos/test/cat/2.jpg"), "photos")
	c := tree(t, "wasp/1.jpg")
	table := filepath.Join(tree(t, "x.jpg", "set.csv"), "set.csv")
	must(t, os.WriteFile(table, []byte("path,label,split\nx.jpg,wasp,val\n"), 0o644))
	ds, err := Scan(context.Background(), Options{Train: a, Also: []string{b, c, table}}, nil)
	must(t, err)
	name := filepath.Base(c)
	want := []string{"photos/cat/1.jpg cat ", "photos/dog/1.jpg dog ", "photos-2/train/cat/1.jpg cat ", "photos-2/test/cat/2.jpg cat test", name + "/wasp/1.jpg wasp ", "set/x.jpg wasp val"}
	if diff := cmp.Diff(want, listing(ds)); diff != "" {
		t.Error(diff)
	}
	for i := range ds.Items {
		if _, err := os.Stat(ds.File(&ds.Items[i])); err != nil {
			t.Error(err)
		}
	}
	if got := ds.Sources.name(); got != "photos+photos+"+name+"+set" {
		t.Errorf("it would be called %s", got)
	}
	doc, err := ds.Encode()
	must(t, err)
	back, err := Decode("set", doc)
	must(t, err)
	if doc[0] != sourcesVersion || !back.Sources.Equal(ds.Sources) || len(back.Sources.Also) != 3 {
		t.Errorf("version %d, sources %+v", doc[0], back.Sources)
	}
	if c, err := ds.Rescan(context.Background(), nil); err != nil || c.Any() {
		t.Errorf("scanned again: %v, %v", c, err)
	}
}

func TestAClassIsAddedToPicturesThatAreGone(t *testing.T) {
	dir := tree(t, "old/cat/1.jpg", "old/cat/2.jpg", "old/dog/1.jpg", "new/wasp/1.jpg", "new/cat/3.jpg")
	old := filepath.Join(dir, "old")
	ds, err := Scan(context.Background(), Options{Train: old, Name: "old"}, nil)
	must(t, err)
	ds.Split = Split{Val: 0.5}
	ds.Items[0].Part, ds.Items[0].Assigned = Val, true
	ds.Items[1].Part, ds.Items[1].Assigned = Train, true
	kept := docs{}
	kept.keep(t, ds)
	must(t, os.RemoveAll(old))

	o := Options{Train: Stored + "old", Also: []string{filepath.Join(dir, "new")}, Split: Split{Val: 0.5}}
	both, err := Scan(context.Background(), o, kept)
	must(t, err)
	want := []string{"old/cat/1.jpg cat val", "old/cat/2.jpg cat train", "old/dog/1.jpg dog ", "new/cat/3.jpg cat ", "new/wasp/1.jpg wasp "}
	if diff := cmp.Diff(want, listing(both)); diff != "" {
		t.Error(diff)
	}
	if both.Items[2].Hash != ds.Items[2].Hash || both.Items[3].Hashed() {
		t.Error("the content of stored images is not known, or that of others is")
	}
	if both.Sources.Missing() != "" || both.Sources.name() != "old+new" {
		t.Errorf("missing %q, called %s", both.Sources.Missing(), both.Sources.name())
	}
	o.Split.Val = 0.2
	other, err := Scan(context.Background(), o, kept)
	must(t, err)
	if got := other.Count(Val) + other.Count(Train); got != 0 {
		t.Errorf("%d images keep the part of another split", got)
	}
}

func TestStoredImagesThatAreAtHandCountOnce(t *testing.T) {
	dir := tree(t, "cat/1.jpg", "dog/1.jpg")
	ds, err := Scan(context.Background(), Options{Train: dir, Name: "old"}, nil)
	must(t, err)
	kept := docs{}
	kept.keep(t, ds)
	must(t, os.Rename(filepath.Join(dir, "dog"), filepath.Join(dir, "wolf")))
	both, err := Scan(context.Background(), Options{Train: Stored + "old", Also: []string{dir}}, kept)
	must(t, err)
	name := filepath.Base(dir)
	want := []string{"old/dog/1.jpg dog ", name + "/cat/1.jpg cat ", name + "/wolf/1.jpg wolf "}
	if diff := cmp.Diff(want, listing(both)); diff != "" {
		t.Error(diff)
	}
	if len(both.Notes) == 0 || !strings.Contains(both.Notes[0].Text, "1 image of the stored datasets") {
		t.Errorf("notes %v", both.Notes)
	}
}

func TestASourceWithoutLabelsIsTold(t *testing.T) {
	flat := tree(t, "1.jpg", "2.jpg")
	ds, err := Scan(context.Background(), Options{Train: tree(t, "cat/1.jpg", "dog/1.jpg"), Also: []string{flat}}, nil)
	must(t, err)
	if len(ds.Notes) != 1 || !strings.Contains(ds.Notes[0].Text, "2 images in "+flat+" have no label") {
		t.Errorf("notes %v", ds.Notes)
	}
}

func TestSourcesThatMakeNoSense(t *testing.T) {
	dir := tree(t, "cat/1.jpg", "dog/1.jpg")
	for _, o := range []Options{
		{Also: []string{dir}},
		{Train: dir, Also: []string{dir}},
		{Train: Stored + "none"},
		{Train: Stored + "old", Name: "old"},
		{Train: dir, Val: Stored + "old"},
	} {
		if _, err := Scan(context.Background(), o, docs{}); !errors.Is(err, ErrData) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Scan(context.Background(), Options{Train: Stored + "old"}, nil); !errors.Is(err, ErrData) {
		t.Errorf("without a cache: %v", err)
	}
}
