package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"icebox/cache"
	"icebox/pipeline/corrections"
	"icebox/pipeline/runs"
	"icebox/pipeline/serve"
)

// What people say of images is written down, trains a run like the one that is served, and is
// served; what is said twice, or of images that nobody knows, trains nothing.
func TestServerLearns(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 20)
	o := ready(t, settings(dir))
	o.Head.Epochs = 7 // the next run's, too
	first, err := Run(ctx, o, Silent)
	must(t, err)
	o.Head.Epochs = 3
	file := filepath.Join(t.TempDir(), "corrections.csv")
	var told []Reloaded
	latest := Served{Name: "pictures", Options: o, Find: func() (string, error) { return runs.Find(o.Output.Dir, "latest", "") }}
	s, err := OpenServer(ctx, []Served{latest}, ServeOptions{Corrections: file, Promote: PromoteAlways, Reloaded: func(r Reloaded) { told = append(told, r) }})
	must(t, err)
	defer s.Close()
	hashOf := func(name string) cache.Key {
		data, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		return sha256.Sum256(data)
	}
	if l, err := s.Train(ctx, "pictures"); err != nil || l.Trained == "" || !l.Promoted || l.Known != 0 {
		t.Errorf("a training before anything is said: %+v, %v", l, err)
	}
	told = nil
	said := []serve.Said{{Image: hashOf("class0/003.png"), Class: "class1"}, {Image: hashOf("class1/004.jpg"), Class: "class1"}}
	strange := []serve.Said{{Image: sha256.Sum256([]byte("nobody's")), Class: "class0"}, {Image: hashOf("class0/005.png"), Class: "a class of its own"}}
	l, err := s.Learn(ctx, "", append(said, strange...), false)
	must(t, err)
	place, err := s.Shelf.Find("pictures", "")
	must(t, err)
	if l.Known != 2 || l.Changed != 2 || !l.Promoted || l.Trained == filepath.Base(*first.RunDir) || place.Model().Version != l.Trained || len(told) != 1 || !told[0].Promoted {
		t.Fatalf("%+v, %+v", l, told)
	}
	f, err := corrections.Read(file)
	must(t, err)
	if len(f.Changes) != 2 || f.Changes[0].Action != corrections.Relabel || f.Changes[0].New != "class1" || f.Changes[1].Action != corrections.Confirm {
		t.Errorf("%+v", f.Changes)
	}
	how, _, err := place.Model().Head.Trained()
	must(t, err)
	if _, err := os.Stat(filepath.Join(place.Model().Dir, runs.CorrectionsFile)); err != nil || how.Epochs != 7 {
		t.Errorf("%v, %d epochs", err, how.Epochs)
	}
	for name, c := range map[string]struct {
		said   []serve.Said
		always bool
	}{"again": {said, false}, "strange": {strange, true}, "nothing": {nil, true}} {
		if l, err := s.Learn(ctx, "pictures", c.said, c.always); err != nil || l.Changed != 0 || l.Trained != "" || l.Promoted {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	if l, err := s.Learn(ctx, "pictures", said, true); err != nil || l.Changed != 0 || l.Trained == "" || !l.Promoted {
		t.Errorf("a training that was asked for: %+v, %v", l, err)
	}
	if l, err := s.Train(ctx, ""); err != nil || l.Changed != 0 || l.Trained == "" {
		t.Errorf("a training of nothing new: %+v, %v", l, err)
	} else if _, err := os.Stat(filepath.Join(place.Model().Dir, runs.CorrectionsFile)); err != nil {
		t.Error(err)
	}
	if _, err := s.Learn(ctx, "none", said, true); !errors.Is(err, serve.ErrNoModel) {
		t.Error(err)
	}
	held, err := corrections.Open(file)
	must(t, err)
	defer held.Close()
	if _, err := s.Learn(ctx, "", said, true); !errors.Is(err, serve.ErrHeld) {
		t.Errorf("the studio has the file: %v", err)
	}
}
