package pipeline

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"icebox/cache"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/studio"
)

// fresh are pictures of a class that no folder of the tests holds.
func fresh(t *testing.T, class, n int) (pictures [][]byte) {
	t.Helper()
	dir := photos(t, class+1, n+20)
	for i := range n {
		name := fmt.Sprintf("%03d%s", i+20, []string{".jpg", ".png"}[i%2])
		data, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("class%d", class), name))
		must(t, err)
		pictures = append(pictures, data)
	}
	return pictures
}

func docsOf(t *testing.T, path string) []string {
	t.Helper()
	c, err := cache.Open(path, cache.Options{})
	must(t, err)
	defer c.Close()
	var all []string
	for _, name := range c.Docs("") {
		data, err := c.Doc(name)
		must(t, err)
		if strings.HasPrefix(name, string(dataset.ForTraining)) || strings.HasPrefix(name, string(dataset.ForPrediction)) {
			all = append(all, fmt.Sprintf("%s %x", name, data))
		}
	}
	return all
}

// Pictures that are kept stand beside the corrections, and count for a studio, for one that
// is opened later and for runs alike; neither the images nor the dataset in the cache change.
func TestKeptPicturesCountEverywhere(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it takes a minute under the race detector, and runs no goroutines that other tests do not")
	}
	ctx := context.Background()
	o := settings(photos(t, 3, 10))
	s, o := studioOf(t, o)
	numbersOf(t, s)
	docs := docsOf(t, o.Cache.Path)
	var kept []int
	for _, picture := range fresh(t, 1, 4) {
		e, err := s.Keep(ctx, picture, "me")
		must(t, err)
		if len(e.Items) != 1 || e.By != "me" || !strings.HasSuffix(e.Text, "… is kept") {
			t.Fatalf("told: %+v", e)
		}
		kept = append(kept, e.Items...)
	}
	if d := docsOf(t, o.Cache.Path); !slices.Equal(d, docs) {
		t.Errorf("the cache has %d documents of datasets, and had %d, or others", len(d), len(docs))
	}
	numbersOf(t, s)
	w := s.Wall(studio.Query{Show: studio.Unlabelled})
	if w.Total != 4 || w.Cards[0].Predicted == "" || w.Cards[0].Part != "train" || !strings.HasPrefix(w.Cards[0].Path, "kept/") {
		t.Fatalf("on the wall: %+v", w.Cards)
	}
	if picture, err := s.Picture(ctx, hashOf(t, w.Cards[0])); err != nil || len(picture) == 0 {
		t.Errorf("its picture: %v", err)
	}
	_, err := s.Change(studio.Request{Items: kept, Action: corrections.Relabel, Class: "class1"})
	must(t, err)
	n := numbersOf(t, s)
	if n.Head == nil {
		t.Fatal(n.Failed)
	}
	d, ok := s.Detail(kept[3])
	if !ok || len(d.Probabilities) != 3 || len(d.History) != 1 || filepath.Dir(d.File) != s.Pictures() {
		t.Errorf("detail: %+v", d)
	}
	run := func(what string, sum *report.RunSummary, err error) {
		t.Helper()
		must(t, err)
		head, _, err := runs.Head(*sum.RunDir)
		must(t, err)
		if sum.TrainRows != n.Train || !slices.Equal(head.W, n.Head.W) || !slices.Equal(head.B, n.Head.B) {
			t.Errorf("%s: %d rows, %d in the studio; or another head", what, sum.TrainRows, n.Train)
		}
	}
	sum, err := Train(ctx, o, Choice{KeepSplit: true}, Silent)
	run("train", sum, err)
	sum, err = Run(ctx, o, Silent)
	run("run", sum, err)
	if sum.ImagesOpened != 0 {
		t.Errorf("run opens %d images", sum.ImagesOpened)
	}
	if d := docsOf(t, o.Cache.Path); !slices.Equal(d, docs) {
		t.Error("a run has written them into the dataset")
	}
	// Another cache has none of it, and a run brings it there.
	other := o
	other.Cache.Path = filepath.Join(t.TempDir(), "f.db")
	sum, err = Run(ctx, ready(t, other), Silent)
	run("run, another cache", sum, err)
	must(t, s.Close())
	later := openStudio(t, o)
	m := numbersOf(t, later)
	if m.Train != n.Train || !slices.Equal(m.Head.W, n.Head.W) {
		t.Errorf("later: %d rows, %d before; or another head", m.Train, n.Train)
	}
}

func TestPicturesThatAreNotKept(t *testing.T) {
	ctx := context.Background()
	s, o := studioOf(t, settings(photos(t, 2, 8)))
	picture := fresh(t, 1, 1)[0]
	here, err := os.ReadFile(filepath.Join(o.Data.Train, "class0", "001.png"))
	must(t, err)
	for want, data := range map[string][]byte{
		"no image that icebox reads": []byte("<svg onload=alert(1)></svg>"),
		"is here already, as class0": here,
		"cannot be kept":             picture[:len(picture)/2],
		"is no image":                nil,
	} {
		if _, err := s.Keep(ctx, data, ""); !errors.Is(err, studio.ErrRequest) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	entries, _ := os.ReadDir(s.Pictures())
	if len(entries) > 0 {
		t.Errorf("%d files are left", len(entries))
	}
	// Another process writes to the cache.
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	w, err := c.Writer()
	must(t, err)
	if _, err := s.Keep(ctx, picture, ""); !errors.Is(err, studio.ErrNotKept) || !errors.Is(err, cache.ErrLocked) {
		t.Errorf("while another process writes: %v", err)
	}
	must(t, errors.Join(w.Close(), c.Close()))
	e, err := s.Keep(ctx, picture, "")
	must(t, err)
	if _, err := s.Keep(ctx, picture, ""); !errors.Is(err, studio.ErrRequest) || !strings.Contains(err.Error(), "here already, as kept/") {
		t.Errorf("once more: %v", err)
	}
	if got, err := os.ReadFile(s.File()); len(got) > 0 {
		t.Errorf("a line was written: %s, %v", got, err)
	}
	d, _ := s.Detail(e.Items[0])
	if got, err := os.ReadFile(d.File); err != nil || !bytes.Equal(got, picture) {
		t.Errorf("the file has other bytes: %v", err)
	}
}

func hashOf(t *testing.T, c studio.Card) (k cache.Key) {
	t.Helper()
	_, err := hex.Decode(k[:], []byte(c.Hash))
	must(t, err)
	return k
}
