package studio

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/headtrain/probe"
	"icebox/pipeline/dataset"
	"icebox/pipeline/insight"
	"icebox/pipeline/words"
)

// Numbers are what the head says, trained on the labels of a version. Nobody changes them.
type Numbers struct {
	Version int // of the labels
	Head    *headtrain.Head
	Recipe  Recipe // that it was trained by
	Failed  string // why there is no head; "" where there is one
	Exact   bool   // the head is the very one of the recipe, and not one close to it

	Answers []Answer        // by item
	Parts   []PartNumbers   // val and test, as far as they have images
	Train   int             // images that the head learned from
	Took    time.Duration   // of training and judging
	Doubted bool            // Doubts and the accuracy out of fold are of this version
	Doubts  int             // labels that are worth a look
	Unseen  *judge.Interval // accuracy of heads that did not see the image; nil is unknown
	Right   float64         // that accuracy
	Judged  int             // images that it is of
	next    map[int]int     // rank of unlabelled items, by which is worth a label
	labels  []int32         // by row
}

// Answer is what the head says of an image.
type Answer struct {
	Has       bool
	Class     int32   // of Numbers.Head
	P         float32 // probability of it
	OfLabel   float32 // probability of the label; 0 where there is none
	Doubt     float32 // probability, by heads that did not see it, that it is of another class than its label
	Chance    float32 // that the label is wrong, as far as wrong labels can be told from hard images
	LooksLike int32   // the likeliest class; the label, where nobody doubts that
	Doubtful  bool    // the label is worth a look
}

// of is what the head says of item i: nothing, if that has come since.
func (n *Numbers) of(i int) Answer {
	if i >= len(n.Answers) {
		return Answer{}
	}
	return n.Answers[i]
}

// PartNumbers are the accuracy on a part that the head has not learned from.
type PartNumbers struct {
	Name      string
	Given     Accuracy // by the labels as given
	Corrected Accuracy // by the labels as they are now
	Changed   bool     // they differ
}

// Accuracy is a share of images.
type Accuracy struct{ Right, Of int }

// Share is from 0 to 1.
func (a Accuracy) Share() float64 {
	if a.Of == 0 {
		return 0
	}
	return float64(a.Right) / float64(a.Of)
}

// view is the labels that a head is trained on and judged by: a copy, which stays.
type view struct {
	version int
	classes []string
	x       []float32      // features, a row after another
	items   []int          // of the dataset, by row
	all     []dataset.Item // whose labels may be others by now
	labels  []int32        // by row
	given   []string       // by row: class as given; "" is none
	settled []bool         // by row: a person has said that the label is right
	alike   [][2]int
	recipe  Recipe
}

// row are the features of a row.
func (v *view) row(r int) []float32 { return v.x[r*dim : (r+1)*dim] }

// data are the features with the labels of v.
func (v *view) data() *headtrain.Dataset {
	return &headtrain.Dataset{X: v.x, Dim: dim, Labels: v.labels, Classes: v.classes, Finite: true}
}

func (s *Session) view() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := view{version: s.version, classes: slices.Clone(s.ds.Classes), alike: s.alike, recipe: s.recipe, x: s.x, items: s.items, all: s.ds.Items}
	v.labels, v.given, v.settled = make([]int32, len(s.items)), make([]string, len(s.items)), make([]bool, len(s.items))
	for r, i := range s.items {
		v.labels[r], v.given[r], v.settled[r] = s.ds.Items[i].Label, s.book.Given(i), s.ds.Corrected.Confirmed[i]
	}
	return v
}

// work trains whenever labels have changed, and chooses a recipe once they are settled.
func (s *Session) work(ctx context.Context) {
	for changed := s.await(ctx); ctx.Err() == nil; {
		do := s.tune
		if changed {
			do = func(ctx context.Context) { s.train(ctx, "") }
		}
		if changed = s.round(ctx, do); !changed {
			changed = s.await(ctx)
		}
	}
}

// round does something that ends where labels change meanwhile, and reports whether they have.
func (s *Session) round(ctx context.Context, do func(context.Context)) (again bool) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended, watched := make(chan struct{}), make(chan bool, 1)
	go func() {
		select {
		case <-s.wake:
			stop()
			watched <- true
		case <-ended:
			watched <- false
		}
	}()
	do(ctx)
	close(ended)
	return <-watched
}

// train works out the numbers of the labels as they are now, step by step. Said is told with
// the first of them.
func (s *Session) train(ctx context.Context, said string) {
	start, v, before := time.Now(), s.view(), s.Numbers()
	show := func(n *Numbers) {
		s.show(n, before, said)
		before, said = n, ""
	}
	job, why := s.job(&v)
	if why != "" {
		n := &Numbers{Version: v.version, Failed: why, Exact: true, Answers: make([]Answer, len(v.all)), labels: v.labels}
		n.next = nextToLabel(n, &v)
		show(n)
		return
	}
	quick := v.recipe.Head.Optimizer == headtrain.OptimizerLBFGS && before.Head != nil
	if quick {
		near := job
		near.From, near.Tolerance = before.Head, nearEnough
		if n := s.fit(ctx, near, &v, start, false); n != nil {
			show(n)
		}
	}
	n := s.fit(ctx, job, &v, start, true)
	if n == nil {
		return
	}
	show(n)
	if d := s.doubt(ctx, n, &v); d != nil {
		show(d)
	}
}

// nearEnough ends the training of a head that is shown at once: its accuracy is that of the
// optimum, but for an image or two.
const nearEnough = 1e-4

// job is the training of the recipe; why says what is wanting for it.
func (s *Session) job(v *view) (job headtrain.Job, why string) {
	count := make([]int, len(v.classes))
	var part headtrain.Part
	part.Train = []int32{}
	for r, i := range v.items {
		p := v.all[i].Part
		if v.labels[r] < 0 {
			continue
		}
		if p != dataset.Val && p != dataset.Test || p == dataset.Val && v.recipe.Refit {
			part.Train = append(part.Train, int32(r))
			count[v.labels[r]]++
		} else if p == dataset.Val {
			part.Val = append(part.Val, int32(r))
		}
	}
	if len(v.classes) < 2 {
		return job, "two classes are needed: give some images labels"
	}
	for c, n := range count {
		if n == 0 {
			return job, fmt.Sprintf("no training image is of class %q", v.classes[c])
		}
	}
	o := v.recipe.Head
	if o.EarlyStopping.Patience == 0 {
		part.Val = nil // nothing is chosen by it
	}
	return headtrain.Job{Train: v.data(), Heads: []headtrain.Options{o}, Parts: []headtrain.Part{part}}, ""
}

// fit trains a head and asks it about all images; nil where ctx is done.
func (s *Session) fit(ctx context.Context, job headtrain.Job, v *view, start time.Time, exact bool) *Numbers {
	n := &Numbers{Version: v.version, Recipe: v.recipe, Exact: exact, Train: len(job.Parts[0].Train), Answers: make([]Answer, len(v.all)), labels: v.labels}
	results, err := s.o.Trainer.Fit(ctx, job)
	if err == nil {
		n.Head = results[0].Head
		err = s.judge(ctx, n, v, job.Train)
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		n.Failed, n.Head = err.Error(), nil
		clear(n.Answers)
	}
	n.next = nextToLabel(n, v)
	n.Took = time.Since(start)
	return n
}

// judge asks the head of n about all images.
func (s *Session) judge(ctx context.Context, n *Numbers, v *view, d *headtrain.Dataset) error {
	answers, err := judge.NewAnswers(ctx, headtrain.NewLogits(n.Head, d), v.labels, 1)
	if err != nil {
		return err
	}
	parts := map[dataset.Part]*PartNumbers{dataset.Val: {Name: dataset.Val.String()}, dataset.Test: {Name: dataset.Test.String()}}
	gone := map[string]bool{}
	for r, i := range v.items {
		class, p, ofLabel := answers.Of(r)
		n.Answers[i] = Answer{Has: true, Class: int32(class), P: float32(p), OfLabel: float32(ofLabel)}
		part := v.all[i].Part
		if part == dataset.Val && v.recipe.Refit || parts[part] == nil {
			continue
		}
		if given := v.given[r]; given != "" && known(v.classes, given, gone) {
			parts[part].Given.add(v.classes[class] == given)
		}
		if label := v.labels[r]; label >= 0 {
			parts[part].Corrected.add(class == int(label))
		}
		parts[part].Changed = parts[part].Changed || className(v.classes, v.labels[r]) != v.given[r]
	}
	for _, part := range []dataset.Part{dataset.Val, dataset.Test} {
		if p := parts[part]; p.Given.Of+p.Corrected.Of > 0 {
			n.Parts = append(n.Parts, *p)
		}
	}
	return nil
}

// known reports whether a class is among classes, which are sorted. Those that are not are
// remembered in gone.
func known(classes []string, name string, gone map[string]bool) bool {
	if gone[name] {
		return false
	}
	_, ok := slices.BinarySearch(classes, name)
	gone[name] = !ok
	return ok
}

func className(classes []string, label int32) string {
	if label < 0 {
		return ""
	}
	return classes[label]
}

func (a *Accuracy) add(right bool) {
	a.Of++
	if right {
		a.Right++
	}
}

// leastSuspects are worth a look whatever their chance of being wrong, which is hard to tell
// where there are few images, if heads that did not see them put them into other classes.
const leastSuspects = 25

// doubt adds doubts to a copy of n; nil where ctx is done, or nothing can be judged.
func (s *Session) doubt(ctx context.Context, n *Numbers, v *view) *Numbers {
	set := &insight.Set{Data: v.data(), Images: make([]insight.Image, len(v.items))}
	for r, i := range v.items {
		set.Images[r] = insight.Image{Hash: v.all[i].Hash, Group: v.all[i].Group}
	}
	alike := insight.NewAlike(set)
	for _, pair := range v.alike {
		alike.Join(pair[0], pair[1])
	}
	found, err := set.Doubts(ctx, alike)
	if err != nil || ctx.Err() != nil {
		return nil
	}
	d := *n
	d.Answers, d.Doubted, d.Doubts, d.Right = slices.Clone(n.Answers), true, 0, 0
	for i := range d.Answers {
		a := &d.Answers[i]
		a.Doubt, a.Chance, a.LooksLike, a.Doubtful = 0, 0, 0, false // those of earlier labels
	}
	var right []bool
	var suspects []int // items
	for r, doubt := range found.Rows {
		if doubt == (probe.Doubt{}) {
			continue
		}
		a, same := &d.Answers[v.items[r]], doubt.LooksLike == int(v.labels[r])
		right = append(right, same)
		if !v.settled[r] {
			a.Doubt, a.Chance, a.LooksLike = float32(1-doubt.OfLabel), float32(doubt.Chance), int32(doubt.LooksLike)
			if !same {
				suspects = append(suspects, v.items[r])
			}
		}
	}
	slices.SortStableFunc(suspects, func(a, b int) int { return cmp.Compare(d.Answers[b].Doubt, d.Answers[a].Doubt) })
	for n, i := range suspects {
		if a := &d.Answers[i]; n < leastSuspects || a.Chance >= insight.SuspectChance {
			a.Doubtful = true
			d.Doubts++
		}
	}
	if len(right) > 0 {
		i := judge.AccuracyInterval(right, nil)
		d.Unseen, d.Judged = &i, len(right)
		hits := Accuracy{}
		for _, ok := range right {
			hits.add(ok)
		}
		d.Right = hits.Share()
	}
	return &d
}

// show makes n the numbers that all see, and tells what has changed since before. Numbers of
// labels that have changed since are shown too, until there are others. What is said comes
// before that.
func (s *Session) show(n, before *Numbers, said string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !n.Doubted {
		s.keepDoubts(n, before)
	}
	s.numbers = n
	text := n.since(before)
	if said != "" && text != "" {
		said += ", "
	}
	s.tell(Event{Version: s.version, Numbers: true, Text: said + text})
}

// keepDoubts gives n the doubts of before about labels that are the same, until there are
// others.
func (s *Session) keepDoubts(n, before *Numbers) {
	if n.Head == nil || before.Head == nil || !slices.Equal(n.Head.Classes, before.Head.Classes) {
		return
	}
	n.Doubts = 0
	for r, label := range n.labels[:min(len(n.labels), len(before.labels))] {
		i := s.items[r]
		a := &before.Answers[i]
		if a.Doubt == 0 || label != before.labels[r] || s.ds.Corrected.Confirmed[i] {
			continue
		}
		b := &n.Answers[i]
		b.Doubt, b.Chance, b.LooksLike, b.Doubtful = a.Doubt, a.Chance, a.LooksLike, a.Doubtful
		if b.Doubtful {
			n.Doubts++
		}
	}
	n.Unseen, n.Right, n.Judged = before.Unseen, before.Right, before.Judged
}

// since says what has changed, such as "val 94.80 → 95.40 %, 2 doubts left"; "" if nothing.
func (n *Numbers) since(before *Numbers) string {
	var parts []string
	for _, p := range n.Parts {
		for _, q := range before.Parts {
			if p.Name != q.Name {
				continue
			}
			if p.Corrected != q.Corrected {
				parts = append(parts, fmt.Sprintf("%s %.1f → %.1f %%", p.Name, 100*q.Corrected.Share(), 100*p.Corrected.Share()))
			}
		}
	}
	if n.Doubted && n.Doubts != before.Doubts {
		parts = append(parts, words.Count(n.Doubts, "doubt")+" left")
	}
	if n.Failed != "" && n.Failed != before.Failed {
		parts = append(parts, n.Failed)
	}
	return strings.Join(parts, ", ")
}

// Numbers are the newest that there are.
func (s *Session) Numbers() *Numbers {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.numbers
}
