package dataset

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChangesAreTold(t *testing.T) {
	dir := tree(t, "ants/1.jpg", "ants/2.jpg", "ants/3.jpg", "ants/4.jpg", "bees/1.jpg", "flies/1.jpg")
	before, err := Scan(context.Background(), Options{Train: dir}, nil)
	must(t, err)
	if c, err := before.Rescan(context.Background(), nil); err != nil || c.Any() || c.String() != "" {
		t.Errorf("nothing has changed: %v, %v", c, err)
	}
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	must(t, os.Rename(at("ants/1.jpg"), at("bees/ant1.jpg")))
	must(t, os.Rename(at("ants/2.jpg"), at("ants/0.jpg")))
	must(t, os.Remove(at("ants/3.jpg")))
	must(t, os.WriteFile(at("bees/1.jpg"), []byte("another picture"), 0o644))
	must(t, os.WriteFile(at("bees/2.jpg"), []byte("a new picture of bees"), 0o644))
	must(t, os.Mkdir(at("wasps"), 0o755))
	must(t, os.WriteFile(at("wasps/1.jpg"), []byte("a wasp"), 0o644))
	must(t, os.RemoveAll(at("flies")))
	got, err := before.Rescan(context.Background(), nil)
	must(t, err)
	want := Changes{Added: 2, Changed: 1, Gone: 2, Renamed: 1, Moved: []Move{{"ants", "bees", 1}}, NewClasses: map[string]int{"wasps": 1}, OldClasses: []string{"flies"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text := `1 image moved from ants to bees, 1 new, 1 changed, 1 renamed, 2 gone, new class wasps (1), no image of "flies" any more`
	if got.String() != text {
		t.Errorf("got %q, want %q", got, text)
	}
}

func TestAChangedLabelIsAMove(t *testing.T) {
	set := func(labels ...int32) *Dataset {
		d := &Dataset{Roots: []Root{{Dir: "/a"}}, Classes: []string{"ants", "bees"}}
		for i, l := range labels {
			d.Items = append(d.Items, Item{Path: string(rune('a'+i)) + ".jpg", Label: l})
		}
		return d
	}
	got := set(1, 1, 0, -1).Since(set(0, 0, 1, 0))
	want := []Move{{"ants", "bees", 2}, {"ants", "", 1}, {"bees", "ants", 1}}
	if diff := cmp.Diff(want, got.Moved); diff != "" {
		t.Error(diff)
	}
	if text := "2 images moved from ants to bees, 1 image moved from ants to no class, 1 image moved from bees to ants"; got.String() != text {
		t.Errorf("got %q", got)
	}
	if text := (Changes{Gone: 57, NewClasses: map[string]int{"wasps": 40}, Added: 40}).String(); text != "57 images gone, new class wasps (40)" {
		t.Errorf("got %q", text)
	}
}
