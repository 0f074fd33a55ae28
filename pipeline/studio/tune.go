package studio

import (
	"context"
	"reflect"
	"slices"
	"time"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
)

// settled is how long nobody changes a label before the recipe is chosen anew.
const settled = 2 * time.Second

// Recipe is how heads are trained.
type Recipe struct {
	Head  headtrain.Options
	Refit bool   // the head learns from validation images, too
	Text  string // where it is from, for people, such as "as in run x"
	// Choice words the options that tuning chooses.
	Choice string
}

// Labelled are the rows that a recipe is chosen by. They are nobody else's.
type Labelled struct {
	Dataset    *dataset.Dataset // with the labels as they have become
	Train, Val *features.Rows
	Test       int // labelled rows of test, which choose nothing
}

// Tuned is what tuning has found.
type Tuned struct {
	Recipe Recipe
	// Note is why nothing was chosen; the recipe is then the zero one.
	Note string
}

// Tuning says how far the choice of a recipe is.
type Tuning struct {
	Runs bool
	Text string // what was found last, for people; "" is nothing yet
}

// Tuning is the state of tuning by now.
func (s *Session) Tuning() Tuning {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tuning
}

// Recipe is how heads are trained by now.
func (s *Session) Recipe() Recipe {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recipe
}

// await waits until labels change, and reports whether they have. It returns earlier, with
// false, once they have been the same for long enough for a recipe to be chosen by them.
func (s *Session) await(ctx context.Context) (changed bool) {
	var quiet <-chan time.Time
	if n := s.Numbers(); s.o.Tune != nil && n.Head != nil && n.Version != s.tunedBy {
		timer := time.NewTimer(settled)
		defer timer.Stop()
		quiet = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.wake:
		return true
	case <-quiet:
		return false
	}
}

// tune chooses a recipe by the labels as they are now, and trains the head that it asks for.
// Where ctx is done before, all stays as it was.
func (s *Session) tune(ctx context.Context) {
	v := s.view()
	s.report(Tuning{Runs: true, Text: s.Tuning().Text})
	found, err := s.o.Tune(ctx, s.labelled(&v))
	if ctx.Err() != nil {
		s.report(Tuning{Text: s.Tuning().Text})
		return
	}
	s.tunedBy = v.version
	text, again := "tuned: "+found.Recipe.Choice, false
	switch {
	case err != nil:
		text = "tuning failed: " + err.Error()
	case found.Note != "":
		text = "not tuned: " + found.Note
	default:
		if found.Recipe.Choice == v.recipe.Choice {
			text = "tuned: it stays with " + found.Recipe.Choice
		}
		again = !reflect.DeepEqual(found.Recipe.Head, v.recipe.Head) || found.Recipe.Refit != v.recipe.Refit
		s.mu.Lock()
		s.recipe = found.Recipe
		s.mu.Unlock()
	}
	s.report(Tuning{Text: text})
	if again {
		s.train(ctx, text) // it says so again, with what it comes to
	}
}

// report makes t the state of tuning, and tells everybody.
func (s *Session) report(t Tuning) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := Event{Version: s.version, Numbers: true}
	if t.Text != s.tuning.Text {
		e.Text = t.Text
	}
	s.tuning = t
	s.tell(e)
}

// labelled are copies of the rows with labels, by part.
func (s *Session) labelled(v *view) Labelled {
	s.mu.Lock()
	ds := *s.ds
	ds.Items = slices.Clone(v.all)
	s.mu.Unlock()
	ds.Classes = v.classes
	l, all := Labelled{Dataset: &ds}, &features.Rows{Items: v.items, Data: v.data()}
	rows := map[dataset.Part][]int32{}
	for r, i := range v.items {
		if ds.Items[i].Label = v.labels[r]; v.labels[r] >= 0 {
			part := ds.Items[i].Part
			rows[part] = append(rows[part], int32(r))
		}
	}
	l.Train, l.Val, l.Test = all.At(rows[dataset.Train]), all.At(rows[dataset.Val]), len(rows[dataset.Test])
	return l
}
