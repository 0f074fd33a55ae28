package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/runs"
	"icebox/pipeline/serve"
)

// copyRun copies the folder of a run, and changes its head.
func copyRun(t *testing.T, from, name string, change func(*headtrain.Head)) string {
	t.Helper()
	to := filepath.Join(filepath.Dir(from), name)
	must(t, os.CopyFS(to, os.DirFS(from)))
	path := filepath.Join(to, runs.HeadFile)
	head, err := headtrain.LoadHead(path)
	must(t, err)
	change(head)
	must(t, os.Remove(path))
	must(t, head.Save(path))
	return to
}

// turned has a head answer with the other of two classes.
func turned(h *headtrain.Head) {
	for i := range h.W {
		h.W[i] = -h.W[i]
	}
	for i := range h.B {
		h.B[i] = -h.B[i]
	}
}

// servedRun is a run of two classes, whose folder is *dir.
func servedRun(t *testing.T) (dir *string, o Options, photosDir string) {
	t.Helper()
	photosDir = photos(t, 2, 40)
	o = ready(t, settings(photosDir))
	run, err := Run(context.Background(), o, Silent)
	must(t, err)
	return run.RunDir, o, photosDir
}

// imagesIn are the files of a folder.
func imagesIn(t *testing.T, dir string) (paths []string, inputs []serve.Input) {
	t.Helper()
	paths, _, err := dataset.ImagesBelow(context.Background(), dir)
	must(t, err)
	for _, p := range paths {
		data, err := os.ReadFile(p)
		must(t, err)
		inputs = append(inputs, serve.Input{Image: data})
	}
	return paths, inputs
}

// Answers are those of a Predictor, bit by bit, to an image alone and to many at once.
func TestServedAnswersAreThoseOfAPredictor(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it takes a minute under the race detector, and runs no goroutines that other tests do not")
	}
	ctx := context.Background()
	dir, o, folder := servedRun(t)
	s, err := OpenServer(ctx, []Served{{Options: o, Find: func() (string, error) { return *dir, nil }}}, ServeOptions{Queue: 1000})
	must(t, err)
	p, err := OpenPredictor(ctx, *dir, o)
	must(t, err)
	place, err := s.Shelf.Find("", "")
	must(t, err)
	paths, inputs := imagesIn(t, folder)
	together, _, err := place.Model().Images(ctx, inputs)
	must(t, err)
	n := 0
	for row, err := range p.Predict(ctx, Files(ctx, paths, nil)) {
		must(t, err)
		if !slices.Equal(row.Probabilities, together[n].Probabilities) {
			t.Errorf("%s: %v together, and %v from a predictor", row.Path, together[n].Probabilities, row.Probabilities)
		}
		if n%10 == 0 {
			alone, _, err := place.Model().Images(ctx, inputs[n:n+1])
			must(t, err)
			if !slices.Equal(alone[0].Probabilities, row.Probabilities) {
				t.Errorf("%s: %v alone, and %v from a predictor", row.Path, alone[0].Probabilities, row.Probabilities)
			}
		}
		n++
	}
	must(t, p.Close())
	must(t, s.Close())
}

// Exact answers are those of the cache, bit by bit, however images come together.
func TestServedAnswersAreThoseOfTheCache(t *testing.T) {
	ctx := context.Background()
	dir, o, folder := servedRun(t)
	s, err := OpenServer(ctx, []Served{{Options: o, Find: func() (string, error) { return *dir, nil }}}, ServeOptions{Exact: true, Queue: 1000})
	must(t, err)
	_, inputs := imagesIn(t, folder)
	scorer, _, err := OpenScorer(ctx, *dir, []dataset.Place{{Path: folder}}, o, Silent)
	must(t, err)
	want := map[string][]float64{}
	for row, err := range scorer.Rows(ctx) {
		must(t, err)
		want[row.Path] = slices.Clone(row.Probabilities)
	}
	must(t, scorer.Close())
	place, err := s.Shelf.Find("photos", "")
	must(t, err)
	paths, _ := imagesIn(t, folder)
	var all sync.WaitGroup
	for i := range inputs {
		all.Go(func() {
			answers, _, err := place.Model().Images(ctx, inputs[i:i+1])
			if err != nil {
				t.Error(err)
				return
			}
			name, err := filepath.Rel(folder, paths[i])
			if err != nil {
				t.Error(err)
			}
			if p := want[filepath.ToSlash(name)]; p == nil || !slices.Equal(answers[0].Probabilities, p) {
				t.Errorf("%s: %v, and the cache says %v", name, answers[0].Probabilities, p)
			}
		})
	}
	all.Wait()
	if m := place.Model(); m.Training == nil || m.Version != filepath.Base(*dir) {
		t.Errorf("version %s, moments %v", m.Version, m.Training != nil)
	}
	must(t, s.Close())
}

// A newer run takes over unless it is worse; requests go on meanwhile.
func TestNewerRunsTakeOver(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: requests that never pause take minutes under the race detector")
	}
	ctx := context.Background()
	first, o, folder := servedRun(t)
	now := *first
	var mu sync.Mutex
	find := func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return now, nil
	}
	change := func(dir string) {
		mu.Lock()
		defer mu.Unlock()
		now = dir
	}
	same := copyRun(t, *first, "20300101-000000-same", func(*headtrain.Head) {})
	bad := copyRun(t, *first, "20300101-000001-bad", turned)
	other := copyRun(t, *first, "20300101-000002-other", func(h *headtrain.Head) { h.Fingerprint = strings.Repeat("0", 64) })
	s, err := OpenServer(ctx, []Served{{Name: "m", Options: o, Find: find}}, ServeOptions{})
	must(t, err)
	place, err := s.Shelf.Find("m", "")
	must(t, err)
	_, inputs := imagesIn(t, folder)
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			m := place.Model()
			if _, _, err := m.Images(ctx, inputs[:3]); err != nil && !errors.Is(err, serve.ErrClosed) {
				t.Error(err)
			}
		}
	}()
	if r := s.Reload(ctx, false); r != nil {
		t.Errorf("nothing has changed: %+v", r)
	}
	change(bad)
	if r := s.Reload(ctx, false); len(r) != 1 || r[0].Promoted || r[0].Err != nil || !strings.Contains(r[0].Why, "p = 0.0") {
		t.Errorf("a worse run: %+v", r)
	}
	if r := s.Reload(ctx, false); r != nil {
		t.Errorf("it is looked at twice: %+v", r)
	}
	change(other)
	if r := s.Reload(ctx, false); len(r) != 1 || r[0].Promoted || r[0].Err == nil {
		t.Errorf("one of other features: %+v", r)
	}
	change(same)
	if r := s.Reload(ctx, false); len(r) != 1 || !r[0].Promoted || place.Model().Version != "20300101-000000-same" {
		t.Errorf("one as good: %+v", r)
	}
	s.o.Promote = PromoteBetter
	change(*first)
	if r := s.Reload(ctx, false); len(r) != 1 || r[0].Promoted {
		t.Errorf("one no better: %+v", r)
	}
	s.o.Promote = PromoteAlways
	change(bad)
	if r := s.Reload(ctx, false); len(r) != 1 || !r[0].Promoted {
		t.Errorf("any: %+v", r)
	}
	s.o.Promote = PromoteBetter
	change(*first)
	if r := s.Reload(ctx, true); len(r) != 1 || !r[0].Promoted {
		t.Errorf("a better one: %+v", r)
	}
	close(stop)
	<-done
	must(t, s.Close())
	if len(s.pool) != 0 {
		t.Errorf("%d backbones are left", len(s.pool))
	}
}

func TestServerOfNothing(t *testing.T) {
	_, err := OpenServer(context.Background(), []Served{{Find: func() (string, error) { return t.TempDir(), nil }}}, ServeOptions{})
	if !errors.Is(err, runs.ErrRun) {
		t.Errorf("%v", err)
	}
}
