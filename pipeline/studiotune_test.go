package pipeline

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
	"icebox/pipeline/studio"
)

// tunedOf waits for the head of the recipe that the labels, as they are, have chosen.
func tunedOf(t *testing.T, s *studio.Session, version int) *studio.Numbers {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if n := s.Numbers(); n.Version == version && strings.HasPrefix(n.Recipe.Text, "as tuning has chosen") && n.Exact && n.Doubted {
			return n
		}
	}
	t.Fatalf("nothing is tuned: %+v, %+v", s.Tuning(), s.Recipe())
	return nil
}

// The recipe that a studio chooses once labels are settled is that of a run with these
// corrections, and so is its head, bit by bit.
func TestAStudioTunesAsARunDoes(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it takes a minute under the race detector, and runs no goroutines that other tests do not")
	}
	ctx := context.Background()
	o := settings(photos(t, 3, 14))
	o.Data.Split.Val, o.Data.Split.Test = 0.2, 0.2
	o.Tune = TuneAuto
	s, o := studioOf(t, o)
	if text := s.Recipe().Text; text != "as the settings say" {
		t.Errorf("to begin with, heads are trained %s", text)
	}
	heard, forget := s.Listen()
	defer forget()
	e, err := s.Change(studio.Request{Items: []int{itemAt(t, s, "class0/001.png").Item}, Action: corrections.Relabel, Class: "class2"})
	must(t, err)
	n := tunedOf(t, s, e.Version)
	sum, err := Train(ctx, o, Choice{KeepSplit: true}, Silent)
	must(t, err)
	head, _, err := runs.Head(*sum.RunDir)
	must(t, err)
	if sum.Tuned == nil || !strings.HasSuffix(s.Recipe().Text, sum.Tuned.String()) || s.Recipe().Refit != sum.Refit {
		t.Errorf("the studio: %+v; a run: %v", s.Recipe(), sum.Tuned)
	}
	if !slices.Equal(head.W, n.Head.W) || !slices.Equal(head.B, n.Head.B) {
		t.Error("the studio's head is another than a run's")
	}
	told := false
	for len(heard) > 0 {
		e := <-heard
		told = told || strings.HasPrefix(e.Text, "tuned: "+s.Recipe().Choice)
	}
	if !told || !strings.HasPrefix(s.Tuning().Text, "tuned: ") {
		t.Errorf("nobody was told: %+v", s.Tuning())
	}
	// Whoever opens it later begins with the recipe of that run, and may choose again.
	o.Data.Corrections = filepath.Join(t.TempDir(), "none.csv")
	later, err := OpenStudio(ctx, o, Choice{KeepSplit: true}, false, Silent)
	must(t, err)
	defer later.Close()
	if text := later.Recipe().Text; text != "as in run "+filepath.Base(*sum.RunDir) {
		t.Errorf("later, heads are trained %s", text)
	}
}

// A change ends tuning at once: the labels that it would choose by are old. Tuning that fails
// leaves the recipe as it is, and says so.
func TestAChangeEndsTuning(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 8)))
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	src, err := openSource(ctx, o, Choice{KeepSplit: true}, journal.New(Silent, nil))
	must(t, err)
	began := make(chan studio.Labelled)
	s, err := studio.Open(ctx, studio.Options{
		Source: src.(*features.Cached), Corrections: filepath.Join(t.TempDir(), "c.csv"), Trainer: headtrain.New(), Recipe: studio.Recipe{Head: o.Head},
		Tune: func(ctx context.Context, l studio.Labelled) (studio.Tuned, error) {
			select {
			case began <- l:
			case <-ctx.Done():
			}
			if l.Dataset.Classes[0] == "another" {
				return studio.Tuned{}, errors.New("no luck")
			}
			<-ctx.Done()
			return studio.Tuned{Recipe: studio.Recipe{Text: "too late"}}, nil
		},
	})
	must(t, err)
	defer s.Close()
	<-began
	if !s.Tuning().Runs {
		t.Error("nobody is told that it runs")
	}
	start := time.Now()
	e, err := s.Change(studio.Request{Items: []int{0, 1, 2, 3, 4, 5, 6, 7}, Action: corrections.Relabel, Class: "another"})
	must(t, err)
	for n := s.Numbers(); n.Version < e.Version; n = s.Numbers() {
		time.Sleep(time.Millisecond)
	}
	if took := time.Since(start); took > 2*time.Second || s.Recipe().Text != "" {
		t.Errorf("after %v, recipe %q", took, s.Recipe().Text)
	}
	if l := <-began; l.Train.Data.Labels[0] != 0 || l.Train.Len()+l.Val.Len()+l.Test != 16 {
		t.Errorf("it chooses by %d images, the first of class %d", l.Train.Len(), l.Train.Data.Labels[0])
	}
	for s.Tuning().Runs {
		time.Sleep(time.Millisecond)
	}
	if got := s.Tuning().Text; got != "tuning failed: no luck" || s.Recipe().Text != "" {
		t.Errorf("it says %q; recipe %q", got, s.Recipe().Text)
	}
}
