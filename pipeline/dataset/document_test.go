package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"icebox/cache"
)

func drawDataset(t *rapid.T) *Dataset {
	d := &Dataset{Name: "set", Sources: Sources{Train: "/a/train"}, Roots: []Root{{Dir: "/a/train", Prefix: "train/"}, {Dir: "/b"}}, Split: Split{Val: 0.1},
		Classes: []string{"a", "b", "ç"}, Items: []Item{}}
	archive := rapid.Bool().Draw(t, "archive")
	if archive {
		d.Roots[1] = Root{Dir: "/b.tar", Prefix: "b.tar!", Kind: Tar, Index: &Index{Stat: Stat{7, 8, 9, 1 << 60}, Labelled: true, Skipped: Skipped{".heic": 2}, Notes: []string{"n"}}}
	}
	for range rapid.IntRange(0, 30).Draw(t, "n") {
		it := Item{
			Root: rapid.IntRange(0, 1).Draw(t, "root"), Path: rapid.String().Draw(t, "path"), Label: rapid.Int32Range(-1, 2).Draw(t, "label"),
			Part: Part(rapid.IntRange(0, 3).Draw(t, "part")), Assigned: rapid.Bool().Draw(t, "assigned"), Group: rapid.StringN(0, 3, 9).Draw(t, "group"),
			Stat: Stat{rapid.Int64().Draw(t, "size"), rapid.Int64().Draw(t, "mtime"), rapid.Int64().Draw(t, "ctime"), rapid.Uint64().Draw(t, "inode")},
		}
		if archive {
			it.Offset = rapid.Int64().Draw(t, "offset")
		}
		copy(it.Hash[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
		d.Items = append(d.Items, it)
	}
	return d
}

func TestDatasetSurvivesItsDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawDataset(t)
		doc, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode("set", doc)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Dataset{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDatasetOfANewerVersionIsRefused(t *testing.T) {
	doc, err := (&Dataset{}).Encode()
	must(t, err)
	doc[0] = documentVersion + 1
	if _, err := Decode("set", doc); !errors.Is(err, cache.ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}

// A dataset that says nothing about its reading is written as it always was, so that
// older programs read it and equal documents stay equal.
func TestOnlyAReadingTakesTheNewerVersion(t *testing.T) {
	for version, reading := range map[byte]Reading{plainVersion: {Layout: LayoutAuto}, readingVersion: {Exclude: []string{"raw/"}, Columns: Columns{Path: "id"}}} {
		want := &Dataset{Name: "set", Classes: []string{"a"}, Items: []Item{}, Reading: reading.kept()}
		doc, err := want.Encode()
		must(t, err)
		if doc[0] != version || version == plainVersion && strings.Contains(string(doc), "reading") {
			t.Errorf("version %d: %q", doc[0], doc)
		}
		got, err := Decode("set", doc)
		must(t, err)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Dataset{})); diff != "" {
			t.Error(diff)
		}
	}
}

// A dataset without an archive is written in the versions that older programs read.
func TestOnlyAnArchiveTakesTheNewestVersion(t *testing.T) {
	for version, d := range map[byte]*Dataset{
		sourcesVersion: {Sources: Sources{Also: []string{"/more"}}, Roots: []Root{{Dir: "/a"}}},
		archiveVersion: {Roots: []Root{{Dir: "/a"}, {Dir: "/b.tar", Kind: Tar}}},
	} {
		doc, err := d.Encode()
		must(t, err)
		if doc[0] != version {
			t.Errorf("version %d, want %d", doc[0], version)
		}
		if bytes.Contains(doc, []byte(`"index"`)) {
			t.Errorf("%q", doc)
		}
	}
}

// A label of more than 32 bits is not cut to one that is there.
func TestLabelsAreNotCut(t *testing.T) {
	var line []byte
	line = binary.AppendUvarint(line, 0) // nothing shared with the path before
	line = appendString(line, "a.jpg")
	line = binary.AppendUvarint(line, 0)
	line = binary.AppendVarint(line, 1<<32)
	line = append(appendString(append(line, byte(Train)), ""), 0, 0, 0, 0)
	r := &docReader{rest: line}
	var it, before Item
	if r.item(&it, &before); !r.bad || len(r.rest) > 0 {
		t.Errorf("%+v, %d bytes are left", it, len(r.rest))
	}
}

func FuzzDecodeDataset(f *testing.F) {
	d := &Dataset{Roots: []Root{{Dir: "/a"}}, Classes: []string{"x"}, Items: []Item{{Path: "x/1.jpg"}, {Path: "x/2.jpg", Group: "g"}}}
	doc, err := d.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add(doc[:len(doc)/2])
	f.Add([]byte{documentVersion, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, doc []byte) {
		d, err := Decode("set", doc)
		if err == nil && len(d.Items) > len(doc) {
			t.Errorf("%d items from %d bytes", len(d.Items), len(doc))
		}
	})
}
