package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"icebox/headtrain"
	"icebox/headtrain/tune"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// enoughValidation is how many validation rows are enough to choose by: the standard
// error of an accuracy on them is 1 % or less, whatever the accuracy is.
const enoughValidation = 2500

// tuneFolds is how many folds the rows are dealt to where validation has too few; the
// fewest that do are two, where a class is small.
var tuneFolds = []int{5, 3, 2}

// tuneWork bounds the work of tuning, in multiplications of a pass, so that it stays within
// seconds. Beyond it options stay as they are.
const tuneWork = 4e9

// tuned chooses the options of a task, if o asks for it, and the rows that its head learns
// from and is calibrated on. Rows of test choose nothing.
//
// The rows to choose by are those of validation if they are enough, else folds. Rows of
// validation that icebox split off itself are then learned from, too, provided that there
// are test rows to report on.
func (o Options) tuned(ctx context.Context, ds *dataset.Dataset, t task, j *journal.Journal) (task, error) {
	if o.Tune != TuneAuto {
		return t, nil
	}
	p := t.parts
	heads := tune.Candidates(o.Head, o.Pinned, p.train.Len())
	if len(heads) == 0 {
		return t, nil
	}
	if why := o.untuned(p, heads); why != "" {
		t.tuning = &report.Tuning{Note: why}
		return t, nil
	}
	learn, joined := p.train, o.joins(ds, p)
	if joined {
		learn = features.Joined(p.train, p.val)
	}
	s, folds := judgedBy(ds, p, learn)
	if len(s.Parts) == 0 {
		t.tuning = &report.Tuning{Note: "there are no validation images, and too few of a class for folds"}
		return t, nil
	}
	s.Trainer, s.Heads = headtrain.New(), heads
	j.Stage("tune")
	j.Start("tune", len(heads)*len(s.Parts))
	s.Done = func() { j.Add(1) }
	out, err := s.Run(ctx)
	if errors.Is(err, headtrain.ErrDiverged) {
		t.tuning = &report.Tuning{Note: err.Error()}
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.tuning = report.NewTuning(out, folds, p.val.Len())
	t.options = out.Points[out.Best].Options
	if joined {
		t.refit, t.parts.train, t.parts.val = true, learn, p.val.At([]int32{})
	}
	if joined || p.val.Len() == 0 {
		t.unseen = tunedRows{scores{logits: out.Logits, labels: out.Labels, folds: folds, refit: joined}}
	}
	return t, nil
}

// judgedBy is a search among the rows to learn from: in folds of them, where validation has
// too few rows to choose by, else by validation. It has no parts where neither will do.
func judgedBy(ds *dataset.Dataset, p parts, learn *features.Rows) (s tune.Search, folds int) {
	if p.val.Len() < enoughValidation {
		if parts := foldsOf(ds, learn); len(parts) > 0 {
			return tune.Search{Train: learn.Data, Parts: parts}, len(parts)
		}
	}
	if p.val.Len() == 0 {
		return tune.Search{}, 0
	}
	return tune.Search{Train: p.train.Data, Val: p.val.Data, Parts: []headtrain.Part{{}}}, 0
}

// untuned says why the options of a head stay as they are; "" if they need not.
func (o Options) untuned(p parts, heads []headtrain.Options) string {
	if e := cmp.Or(o.HeadEngine, headtrain.EngineFused); e != headtrain.EngineFused {
		return "the engine is " + e
	}
	d := p.train.Data
	work := float64(p.train.Len()) * float64(d.Dim) * float64(len(d.Classes))
	if heads[0].Optimizer != headtrain.OptimizerLBFGS {
		work *= float64(len(heads))
	}
	if d.Paged || work > tuneWork {
		return fmt.Sprintf("%s of %d features and %s would take too long; the options are as they were", words.Count(p.train.Len(), "row"), d.Dim, words.Count(len(d.Classes), "class"))
	}
	return ""
}

// joins reports whether a tuned head learns from validation, too: because it is asked for,
// or because icebox has split it off itself, test is there to report on, and nothing else
// needs it.
func (o Options) joins(ds *dataset.Dataset, p parts) bool {
	if o.Refit && p.val.Len() > 0 {
		return true
	}
	if p.val.Len() == 0 || p.test.Len() == 0 || o.Head.EarlyStopping.Patience > 0 {
		return false
	}
	for _, i := range p.val.Items {
		if !ds.Items[i].Assigned {
			return false
		}
	}
	return true
}

// foldsOf deals rows to as many folds as every class has rows for, and returns those that
// are to be judged: as many as have enough rows to choose by, or else all. There are none
// where a class has too few rows.
func foldsOf(ds *dataset.Dataset, r *features.Rows) (parts []headtrain.Part) {
	for _, n := range tuneFolds {
		folds, err := dataset.NewFolds(ds, r.Items, n)
		if err != nil {
			continue
		}
		for fold := range min(n, (enoughValidation*n+r.Len()-1)/r.Len()) {
			parts = append(parts, headtrain.Part(folds.Share(fold, 1)))
		}
		return parts
	}
	return nil
}

// refitted has a task learn from validation, too, without tuning it. It is calibrated as a
// tuned head is, so that the options that were tuned give the same head once more.
func (o Options) refitted(ds *dataset.Dataset, t task) task {
	p, learn := t.parts, t.parts.train
	if t.refit = p.val.Len() > 0; t.refit {
		learn = features.Joined(p.train, p.val)
		t.parts.train, t.parts.val = learn, p.val.At([]int32{})
	}
	s, folds := judgedBy(ds, p, learn)
	t.unseen = judgedRows{s, folds, t.refit}
	return t
}

// judgedRows are those that would judge the options in tuning. They are scored by heads of
// the task's options that did not learn from them.
type judgedRows struct {
	search tune.Search
	folds  int
	refit  bool
}

func (r judgedRows) score(ctx context.Context, t task, _ *headtrain.Head, engine headtrain.Engine) (scores, error) {
	if len(r.search.Parts) == 0 {
		return scores{why: "there are too few images of a class to hold any out"}, nil
	}
	s := r.search
	s.Trainer, s.Heads = engine.Trainer, []headtrain.Options{t.options}
	out, err := s.Run(ctx)
	if errors.Is(err, headtrain.ErrDiverged) {
		return scores{why: "a head that learned from a part of the images diverged"}, nil
	}
	if err != nil {
		return scores{}, err
	}
	return scores{logits: out.Logits, labels: out.Labels, folds: r.folds, refit: r.refit}, nil
}

// tunedRows are those that judged the options in tuning, each scored by a head that did
// not learn from it.
type tunedRows struct{ found scores }

func (r tunedRows) score(context.Context, task, *headtrain.Head, headtrain.Engine) (scores, error) {
	return r.found, nil
}

// chosen reports whether options of the task were chosen, and not given.
func (t task) chosen() bool { return t.sweep != nil || t.tuning != nil && t.tuning.Note == "" }

// used are o with the options that t was trained with, which ask for its head.
func (o Options) used(t task) Options {
	_, judged := t.unseen.(tunedRows)
	o.Head, o.Tune, o.Refit = t.options, TuneOff, t.refit || judged
	return o
}

// recorded are the options of a run folder, whose configuration is that which t was trained
// with.
func (o Options) recorded(t task) runs.Options {
	if o.Record != nil && t.chosen() {
		o.Output.Config = o.Record(o.used(t))
	}
	return o.Output
}

// settings word the options that were chosen for t; nil if none were. A share of the
// training rows is none.
func (o Options) settings(t task) []string {
	if o.Settings == nil || !t.chosen() || t.fraction < 1 {
		return nil
	}
	return o.Settings(o.used(t))
}
