//go:build !noparquet

package shards

import (
	"crypto/sha256"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// published publishes the one shard of a manifest of ten images, of which the fourth and the
// last are dead.
func published(t *testing.T) (*Manifest, Folder, []Row) {
	t.Helper()
	dir := t.TempDir()
	ds := &dataset.Dataset{Roots: []dataset.Root{{Dir: "/a"}}, Classes: []string{"x"}, Items: make([]dataset.Item, 10)}
	m, err := Write(t.Context(), filepath.Join(dir, "m"), ds, features.Space{ID: "s"})
	must(t, err)
	var rows []Row
	for i := range 9 {
		if i == 3 {
			continue
		}
		r := Row{Item: i, Key: cache.Key(sha256.Sum256([]byte{byte(i)})), Path: strings.Repeat("é", i), Class: []string{"x", ""}[i%2], Split: "train",
			Producer: cache.Producer{Engine: "native", ISA: []string{"avx2", "avx512"}[i/5], Plan: "p", Version: 3}, Feature: make([]float32, extract.Dim)}
		for j := range r.Feature {
			r.Feature[j] = float32(i*j) / 7
		}
		if i > 2 {
			r.Measures = make([]byte, 17)
		}
		rows = append(rows, r)
	}
	f, err := OpenFolder(t.Context(), filepath.Join(dir, "parts"))
	must(t, err)
	must(t, f.Make())
	_, err = f.Publish(m, Shard{0, 1}, each(rows), []Dead{{Item: 3, Path: "p", Reason: "r", SHA256: "00"}, {Item: 9, Path: "q", Reason: "s"}})
	must(t, err)
	return m, f, rows
}

func each(rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestAPartComesBack(t *testing.T) {
	m, f, want := published(t)
	markers, err := f.Check(m)
	must(t, err)
	p, err := f.Open(m, markers[0])
	must(t, err)
	defer p.Close()
	n := 0
	for r, err := range p.Rows() {
		must(t, err)
		w := want[n]
		if r.Item != w.Item || r.Key != w.Key || r.Path != w.Path || r.Class != w.Class || r.Split != w.Split || r.Producer != w.Producer || !slices.Equal(r.Measures, w.Measures) || !slices.Equal(r.Feature, w.Feature) {
			t.Errorf("row %d is %+v, was %+v", n, r, w)
		}
		n++
	}
	if n != len(want) || len(p.Dead()) != 2 || p.Dead()[1] != (Dead{Item: 9, Path: "q", Reason: "s"}) {
		t.Errorf("%d rows, dead %+v", n, p.Dead())
	}
}

// A part with another bit anywhere is not taken for a sound one, with a marker or without: it
// is made again.
func TestEveryFlippedBitOfAPartIsFound(t *testing.T) {
	m, f, rows := published(t)
	s := Shard{0, 1}
	sound, err := os.ReadFile(f.Part(s))
	must(t, err)
	harmless := 0
	for at := 0; at < len(sound); at += 13 {
		flipped := slices.Clone(sound)
		flipped[at] ^= 1 << (at % 8)
		must(t, os.WriteFile(f.Part(s), flipped, 0o644))
		markers, err := f.Check(m)
		must(t, err)
		if _, err := f.Open(m, markers[0]); !errors.Is(err, ErrPart) {
			t.Fatalf("byte %d: %v", at, err)
		}
		if there, err := f.sound(m, s); err != nil {
			t.Fatal(err)
		} else if there == whole { // in bytes that say nothing of rows, as paths and statistics
			harmless++
		}
	}
	if harmless*2 > len(sound)/13 {
		t.Errorf("%d of %d flips are not seen without a marker", harmless, len(sound)/13)
	}
	for _, at := range []int{len(sound) / 2, len(sound) / 3} { // features
		flipped := slices.Clone(sound)
		flipped[at] ^= 4
		must(t, os.WriteFile(f.Part(s), flipped, 0o644))
		if mk, err := f.Done(m, s); mk != nil || err != nil {
			t.Errorf("byte %d: it is done: %v %v", at, mk, err)
		}
		_, err := f.Publish(m, s, each(rows), []Dead{{Item: 3, Path: "p", Reason: "r", SHA256: "00"}, {Item: 9, Path: "q", Reason: "s"}})
		must(t, err)
		if now, err := os.ReadFile(f.Part(s)); err != nil || !slices.Equal(now, sound) {
			t.Errorf("byte %d: the part is not made again (%v)", at, err)
		}
	}
}

func TestShardsOfWords(t *testing.T) {
	env := func(vars ...string) func(string) string {
		return func(name string) string {
			for _, v := range vars {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value
				}
			}
			return ""
		}
	}
	for text, want := range map[string]Shard{"0/1": {0, 1}, "16/17": {16, 17}, "/5": {3, 5}} {
		if s, err := Parse(text, env("CLOUD_RUN_TASK_INDEX=4", "AWS_BATCH_JOB_ARRAY_INDEX=3")); err != nil || s != want {
			t.Errorf("%s: %v %v", text, s, err)
		}
	}
	for _, text := range []string{"", "/", "1", "1/", "1/1", "-1/2", "0/-2", "0/200000", "a/2", "0/2/3", "0 /2", "/2"} {
		if s, err := Parse(text, env()); !errors.Is(err, ErrShard) {
			t.Errorf("%q: %v %v", text, s, err)
		}
	}
}
