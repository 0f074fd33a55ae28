package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/runs"
	"icebox/pipeline/studio"
)

// studioOf extracts the images in dir and opens them in a studio.
func studioOf(t *testing.T, o Options) (*studio.Session, Options) {
	t.Helper()
	o.Data.Corrections = ""
	o = ready(t, o)
	_, err := Extract(context.Background(), o, Silent)
	must(t, err)
	o.Data.Corrections = filepath.Join(t.TempDir(), "corrections.csv")
	return openStudio(t, o), o
}

func openStudio(t *testing.T, o Options) *studio.Session {
	t.Helper()
	s, err := OpenStudio(context.Background(), o, Choice{KeepSplit: true}, true, Silent)
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// numbersOf waits for the last numbers of the labels as they are: exact, with doubts.
func numbersOf(t *testing.T, s *studio.Session) *studio.Numbers {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if n := s.Numbers(); n.Version == s.Wall(studio.Query{}).Version && n.Exact && (n.Doubted || n.Failed != "") {
			return n
		}
	}
	t.Fatalf("there are no numbers: %+v", s.Numbers())
	return nil
}

func itemAt(t *testing.T, s *studio.Session, path string) studio.Card {
	t.Helper()
	for _, c := range s.Wall(studio.Query{Pages: 10}).Cards {
		if c.Path == path {
			return c
		}
	}
	t.Fatalf("there is no image %s", path)
	return studio.Card{}
}

// The head of a studio is that of a run of the same recipe, bit by bit, before a change and
// after it.
func TestAStudioTrainsTheHeadOfTheRecipe(t *testing.T) {
	ctx := context.Background()
	for _, optimizer := range []string{headtrain.OptimizerAdam, headtrain.OptimizerLBFGS} {
		o := settings(photos(t, 3, 10))
		o.Head.Optimizer, o.Head.WeightDecay = optimizer, 0.01
		if optimizer == headtrain.OptimizerLBFGS {
			o.Head.Epochs = 300
		}
		s, o := studioOf(t, o)
		for round := range 2 {
			if round == 1 {
				_, err := s.Change(studio.Request{Items: []int{itemAt(t, s, "class0/001.png").Item}, Action: corrections.Relabel, Class: "class2"})
				must(t, err)
			}
			n := numbersOf(t, s)
			run := o
			if round == 0 {
				run.Data.Corrections = ""
			}
			sum, err := Train(ctx, run, Choice{KeepSplit: true}, Silent)
			must(t, err)
			head, _, err := runs.Head(*sum.RunDir)
			must(t, err)
			if !slices.Equal(head.W, n.Head.W) || !slices.Equal(head.B, n.Head.B) {
				t.Errorf("%s, round %d: the studio's head is another", optimizer, round)
			}
			for _, p := range n.Parts {
				if want := map[string]*float64{"val": sum.ValAcc, "test": sum.TestAcc}[p.Name]; p.Given.Share() != *want {
					t.Errorf("%s, round %d: %s is %v, in a run %v", optimizer, round, p.Name, p.Given, *want)
				}
			}
		}
	}
}

func TestAWrongLabelIsFoundAndMended(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, whose features tell classes apart, and which takes minutes under the race detector")
	}
	dir := photos(t, 3, 12)
	must(t, os.Rename(filepath.Join(dir, "class0", "003.png"), filepath.Join(dir, "class1", "wrong.png")))
	s, o := studioOf(t, settings(dir))
	n := numbersOf(t, s)
	doubtful := studio.Query{Show: studio.Doubtful, Sort: studio.ByDoubt}
	w := s.Wall(doubtful)
	if n.Doubts == 0 || len(w.Cards) == 0 || w.Cards[0].Path != "class1/wrong.png" || w.Cards[0].LooksLike != "class0" {
		t.Fatalf("the wrong label is not the first: %+v", w.Cards)
	}
	heard, forget := s.Listen()
	defer forget()
	wrong := w.Cards[0].Item
	e, err := s.Change(studio.Request{Items: []int{wrong}, Action: corrections.Relabel, Class: "class0", Seen: w.Version, By: "one"})
	must(t, err)
	if got := <-heard; got.Version != e.Version || !slices.Equal(got.Items, []int{wrong}) || got.Text != "class1/wrong.png → class0" {
		t.Errorf("heard %+v", got)
	}
	for n := s.Numbers(); !n.Doubted || n.Version < e.Version; n = s.Numbers() {
		if s.Wall(doubtful).Counts[studio.Doubtful] == 0 && n.Doubts == 0 && w.Counts[studio.Doubtful] > 1 {
			t.Fatal("doubts are forgotten while new ones are worked out")
		}
	}
	after := numbersOf(t, s)
	if after.Right > 1 || after.Doubts != s.Wall(doubtful).Counts[studio.Doubtful] {
		t.Errorf("%v right, %d doubts, %d on the wall", after.Right, after.Doubts, s.Wall(doubtful).Total)
	}
	if s.Wall(doubtful).Counts[studio.Doubtful] >= w.Counts[studio.Doubtful] || after.Right <= n.Right {
		t.Errorf("mended: %d doubts, %v right", after.Doubts, after.Right)
	}
	// Somebody who has not seen that overrules it; both are told.
	e, err = s.Change(studio.Request{Items: []int{wrong}, Action: corrections.Relabel, Class: "class2", Seen: w.Version, By: "two"})
	must(t, err)
	if !strings.Contains(e.Text, "changed in another window") || itemAt(t, s, "class1/wrong.png").Class != "class2" {
		t.Errorf("two windows: %+v", e)
	}
	for _, want := range []string{"class0", "class1"} {
		_, err := s.Undo("one")
		must(t, err)
		if got := itemAt(t, s, "class1/wrong.png"); got.Class != want {
			t.Errorf("undone: %s, want %s", got.Class, want)
		}
	}
	if _, err := s.Undo("one"); !errors.Is(err, studio.ErrRequest) {
		t.Errorf("nothing is left to undo: %v", err)
	}
	_, err = s.Redo("one")
	must(t, err)
	f, err := corrections.Read(o.Data.Corrections)
	must(t, err)
	var actions []string
	for _, c := range f.Changes {
		actions = append(actions, string(c.Action)+" "+c.New)
	}
	if got := strings.Join(actions, ", "); got != "relabel class0, relabel class2, undo class0, undo class1, relabel class0" {
		t.Errorf("the file says %s", got)
	}
	d, ok := s.Detail(wrong)
	if !ok || len(d.Nearest) != 3 || len(d.Probabilities) != 3 || len(d.History) != 1 || d.Given != "class1" {
		t.Errorf("detail: %+v", d)
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	s, o := studioOf(t, settings(photos(t, 2, 8)))
	for want, r := range map[string]studio.Request{
		"no image is chosen": {Action: corrections.Confirm},
		"no image 99":        {Items: []int{99}, Action: corrections.Confirm},
		"no class is named":  {Items: []int{0}, Action: corrections.Relabel, Class: " "},
		"control character":  {Items: []int{0}, Action: corrections.Relabel, Class: "a\nb"},
		"is no action":       {Items: []int{0}, Action: "rename"},
		"look alike":         {Items: []int{0}, Action: corrections.Relabel, Class: "CLASS1"},
	} {
		if _, err := s.Change(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if _, err := os.Stat(o.Data.Corrections); err == nil {
		t.Error("something was written")
	}
	_, err := s.Change(studio.Request{Items: []int{0, 1, 2}, Action: corrections.Exclude})
	must(t, err)
	if w := s.Wall(studio.Query{Show: studio.Excluded}); w.Total != 3 || w.Counts[studio.Unlabelled] != 0 {
		t.Errorf("left out: %+v", w.Counts)
	}
	// The file is edited by hand meanwhile: it is read anew, and nothing is lost.
	before, err := os.ReadFile(o.Data.Corrections)
	must(t, err)
	must(t, os.WriteFile(o.Data.Corrections, before[:bytes.LastIndexByte(before[:len(before)-1], '\n')+1], 0o600))
	if _, err := s.Change(studio.Request{Items: []int{5}, Action: corrections.Confirm}); !errors.Is(err, corrections.ErrChanged) {
		t.Errorf("edited: %v", err)
	}
	if w := s.Wall(studio.Query{Show: studio.Excluded}); w.Total != 2 {
		t.Errorf("after the edit %d are left out", w.Total)
	}
	_, err = s.Change(studio.Request{Items: []int{5}, Action: corrections.Confirm})
	must(t, err)
	// Who opens it later finds all of it.
	must(t, os.Chmod(o.Data.Corrections, 0o644))
	if _, err := OpenStudio(context.Background(), o, Choice{KeepSplit: true}, true, Silent); !errors.Is(err, corrections.ErrHeld) {
		t.Errorf("a second studio: %v", err)
	}
}

// Two classes can be taught from pictures without a label.
func TestAStudioTeachesFromNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, whose features tell classes apart, and which takes minutes under the race detector")
	}
	dir := photos(t, 2, 8)
	flat := filepath.Join(t.TempDir(), "flat")
	for _, class := range []string{"class0", "class1"} {
		for i := range 8 {
			end := []string{".jpg", ".png"}[i%2]
			name := fmt.Sprintf("%03d%s", i, end)
			must(t, os.MkdirAll(flat, 0o755))
			must(t, os.Rename(filepath.Join(dir, class, name), filepath.Join(flat, class+name)))
		}
	}
	time.Sleep(settle)
	o := settings(flat)
	o.Data.Split = dataset.Split{}
	s, _ := studioOf(t, o)
	if n := numbersOf(t, s); n.Head != nil || !strings.Contains(n.Failed, "two classes are needed") {
		t.Errorf("without labels: %+v", n.Failed)
	}
	w := s.Wall(studio.Query{Show: studio.Unlabelled, Sort: studio.ByNext})
	if w.Total != 16 {
		t.Fatalf("%d without a label", w.Total)
	}
	for _, c := range w.Cards[:10] {
		_, err := s.Change(studio.Request{Items: []int{c.Item}, Action: corrections.Relabel, Class: c.Path[:len("class0")]})
		must(t, err)
	}
	n := numbersOf(t, s)
	if n.Head == nil || n.Train != 10 {
		t.Fatalf("taught: %+v", n)
	}
	for _, c := range s.Wall(studio.Query{Show: studio.Unlabelled}).Cards {
		if c.Predicted != c.Path[:len("class0")] {
			t.Errorf("%s is answered as %s", c.Path, c.Predicted)
		}
	}
}
