package dataset

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzTable scans a table of images: what is read of it comes back from its document, and
// all else is an error of the data.
func FuzzTable(f *testing.F) {
	for _, text := range []string{
		"path,label,split,group\na.jpg,cat,train,g\nb.jpg,dog,test,g\n", "file;class\na;cat\nb;dog\n", "path\tlabel\n.\\a.jpg\tx\n",
		"image,label\na.jpg,\"a,b\"\nb.jpg,a\nsub/c.jpg,b\n", "path,label\n../a.jpg,x\n/,y\n", "sep=|\npath|label|split\na.jpg|x|valid\n", "path,label\nsub,x\n",
	} {
		f.Add([]byte(text), false)
	}
	f.Add([]byte(`{"path": "a.jpg", "label": 3}`+"\n"+`{"path": "b.jpg", "label": null, "split": "val"}`), true)
	dir := f.TempDir()
	for _, name := range []string{"a.jpg", "b.jpg", "sub/c.jpg"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(name), 0o644)); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, lines bool) {
		file := filepath.Join(dir, map[bool]string{false: "set.csv", true: "set.jsonl"}[lines])
		must(t, os.WriteFile(file, text, 0o644))
		ds, err := Scan(t.Context(), Options{Train: file}, nil)
		if err == nil {
			_ = ds.Trainable(0)
		}
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Fatalf("%v is no error of the data", err)
			}
			return
		}
		wantSameDocument(t, ds)
	})
}

// FuzzEncode holds that whatever a dataset is made of, its document is read again, unless
// it is refused when it is written.
func FuzzEncode(f *testing.F) {
	f.Add("/data", "cat", "a.jpg", "g", "b.jpg", int64(7), uint8(3), false)
	f.Add("cache:set", "\xff", "\xff/\x00", "", "", int64(-1<<63), uint8(0), true)
	f.Add("", "", strings.Repeat("x", maxText), strings.Repeat("y", maxText+1), "", int64(1<<62), uint8(2), true)
	f.Fuzz(func(t *testing.T, source, class, first, group, second string, stat int64, part uint8, assigned bool) {
		ds := &Dataset{
			Name: "set", Sources: Sources{Train: source}, Roots: []Root{{Dir: source, Prefix: class}}, Classes: []string{class}, Reading: Reading{Suffix: class},
			Items: []Item{{Path: first, Group: group, Part: Part(part % 4), Assigned: assigned}, {Path: second, Label: Unlabelled, Stat: Stat{stat, -stat, stat / 3, uint64(stat)}}},
		}
		wantSameDocument(t, ds)
	})
}

// wantSameDocument encodes a dataset, if it can be, and reads it again.
func wantSameDocument(t *testing.T, want *Dataset) {
	t.Helper()
	doc, err := want.Encode()
	if err != nil {
		if !errors.Is(err, ErrData) {
			t.Fatalf("%v is no error of the data", err)
		}
		return
	}
	got, err := Decode(want.Name, doc)
	must(t, err)
	if diff := cmp.Diff(want.Items, got.Items, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]any{want.Sources, want.Roots, want.Classes, want.Split, want.Reading}, []any{got.Sources, got.Roots, got.Classes, got.Split, got.Reading}, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
}

// FuzzGlob compares patterns with the plain reading of "**": nothing, or a folder and the
// same again.
func FuzzGlob(f *testing.F) {
	f.Add("**/raw/*", "a/b/raw/c.jpg")
	f.Add("a/**/b/**/c", "a/x/b/b/y/c")
	f.Add("!/[a-c]?/", "ax")
	f.Add("**/**/**/x", "a/a/a/a/a/y")
	f.Add("a/[", "a/b")
	f.Fuzz(func(t *testing.T, pattern, rel string) {
		g, err := newGlob(pattern)
		if err != nil {
			return
		}
		begin := time.Now()
		got := g.fits(rel, true)
		if took := time.Since(begin); took > time.Second {
			t.Fatalf("it takes %v", took)
		}
		segments := strings.Split(rel, "/")
		if !g.anchored || len(g.segments) > 6 || len(segments) > 12 {
			return
		}
		if want := fitPlainly(g.segments, segments); got != want {
			t.Fatalf("%q fits %q: %v, want %v", pattern, rel, got, want)
		}
	})
}

func fitPlainly(pattern, segments []string) bool {
	switch {
	case len(pattern) == 0:
		return len(segments) == 0
	case pattern[0] == "**":
		return fitPlainly(pattern[1:], segments) || len(segments) > 0 && fitPlainly(pattern, segments[1:])
	case len(segments) == 0:
		return false
	}
	ok, _ := path.Match(pattern[0], segments[0])
	return ok && fitPlainly(pattern[1:], segments[1:])
}
