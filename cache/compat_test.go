package cache

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var writeV1 = flag.String("write-v1", "", "write what testdata/v1.db was made of to this `file`")

// v1Docs are the documents of testdata/v1.db.
var v1Docs = map[string]string{"set/a": "a manifest", "gate": `{"native": true}`}

// fillV1 is how testdata/v1.db was made.
func fillV1(t *testing.T, path string) {
	c, err := OpenOrCreate(path, Options{})
	must(t, err)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	must(t, w.Space(spaceHalf, native2))
	put(t, w, space8, keysOf(0, 45)...)
	put(t, w, spaceHalf, keysOf(0, 40)...)
	for name, data := range v1Docs {
		must(t, w.PutDoc(name, []byte(data)))
	}
	must(t, w.Close())
	_, err = Compact(path, CompactOptions{})
	must(t, err)
}

func TestFileOfVersion1Reads(t *testing.T) {
	if *writeV1 != "" {
		fillV1(t, *writeV1)
	}
	path := filepath.Join(t.TempDir(), "v1.db")
	must(t, os.WriteFile(path, readFile(t, filepath.Join("testdata", "v1.db")), 0o644))
	r := wantSound(t, path)
	if diff := cmp.Diff(Report{Spaces: 2, Blocks: 2, Rows: 85, Docs: 2, Faults: []Fault{}}, r); diff != "" {
		t.Error(diff)
	}
	c, err := Open(path, quick())
	must(t, err)
	wantRows(t, c, space8, keysOf(0, 45))
	wantRows(t, c, spaceHalf, keysOf(0, 40))
	for name, want := range v1Docs {
		if got, err := c.Doc(name); string(got) != want {
			t.Errorf("document %s is %q, %v", name, got, err)
		}
	}
	if s := c.Spaces(); len(s) != 2 || cmp.Diff(space8, s[0].Space) != "" || cmp.Diff(spaceHalf, s[1].Space) != "" {
		t.Errorf("spaces are %+v", s)
	}
	for s, want := range map[string]Producer{space8.ID: native1, spaceHalf.ID: native2} {
		if got := c.state.spaces[s].blocks[0].producer; got != want {
			t.Errorf("space %s was made by %+v, want %+v", s, got, want)
		}
	}
}

func TestFileOfVersion1CanBeWrittenTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v1.db")
	must(t, os.WriteFile(path, readFile(t, filepath.Join("testdata", "v1.db")), 0o644))
	c, err := Open(path, quick())
	must(t, err)
	fill(t, c, keysOf(0, 60), space8, spaceHalf)
	wantRows(t, c, space8, keysOf(0, 60))
	wantRows(t, c, spaceHalf, keysOf(0, 60))
	wantSound(t, path)
}

// TestBlockOfVersion1IsWrittenAsEver pins the bytes: whoever changes them must raise
// formatVersion, keep a reader for version 1 and add a file beside v1.db.
func TestBlockOfVersion1IsWrittenAsEver(t *testing.T) {
	b := encodedBlock(t, space8, 2)
	want := readFile(t, filepath.Join("testdata", "v1.block"))
	if *writeV1 != "" {
		must(t, os.WriteFile(*writeV1+".block", b, 0o644))
	}
	if !bytes.Equal(b, want) {
		t.Error("a block is encoded otherwise than in version 1")
	}
}
