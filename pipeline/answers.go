package pipeline

import (
	"context"
	"errors"
	"fmt"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/headtrain/probe"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

// unseen scores rows by heads that did not learn from them. Temperature and threshold are
// chosen on these scores.
type unseen interface {
	// score scores them by head, or by heads of the same options as t has.
	score(ctx context.Context, t task, head *headtrain.Head, engine headtrain.Engine) (scores, error)
}

// scores are the logits of rows and their labels. If nothing can be scored, both are empty
// and why gives the reason.
type scores struct {
	logits *headtrain.Logits
	labels []int32
	why    string

	folds int // that the rows were scored in; 0 where they are validation rows
	refit bool
}

func (s scores) rows() int { return len(s.labels) }

// validationRows are scored by the head itself.
type validationRows struct{ rows *features.Rows }

func (v validationRows) score(_ context.Context, _ task, head *headtrain.Head, _ headtrain.Engine) (scores, error) {
	if v.rows.Len() == 0 {
		return scores{why: "there are no images to fit a temperature on that the head did not learn from"}, nil
	}
	return scores{logits: headtrain.NewLogits(head, v.rows.Data), labels: v.rows.Data.Labels}, nil
}

// joinedRows are the validation rows of a refit, which learned from them. They are scored
// by a head of its options that learned from the training rows alone: its probabilities
// say how sure such heads may be; those of the refit head would say how well it knows
// what it learned from.
type joinedRows struct{ train, val *features.Rows }

func (r joinedRows) score(ctx context.Context, t task, _ *headtrain.Head, engine headtrain.Engine) (scores, error) {
	results, err := engine.Trainer.Fit(ctx, headtrain.Job{Train: r.train.Data, Heads: []headtrain.Options{t.options}})
	if errors.Is(err, headtrain.ErrDiverged) {
		err = fmt.Errorf("a head is calibrated, after a refit, by one that did not learn from validation, and that one: %w", err)
		return scores{}, journal.WithSteps(err, journal.SetTo("Answers.Calibrate", false), journal.SetTo("Sweep.Refit", false))
	}
	if err != nil {
		return scores{}, err
	}
	return scores{logits: headtrain.NewLogits(results[0].Head, r.val.Data), labels: r.val.Data.Labels, refit: true}, nil
}

// foldedRows are the training rows, each scored by a head that was trained without its
// fold. These heads learned from a little less than the head that is kept, so that they
// are, if anything, a little less sure than it may be.
type foldedRows struct {
	ds *dataset.Dataset
	n  int
}

func (f foldedRows) score(ctx context.Context, t task, _ *headtrain.Head, engine headtrain.Engine) (scores, error) {
	train := t.parts.train
	folds, err := dataset.NewFolds(f.ds, train.Items, f.n)
	if err != nil { // a fraction of the rows may be too few for the folds of all
		return scores{why: fmt.Sprintf("the chosen share of the training images is too small to have every class in each of %d folds", f.n)}, nil
	}
	logits, err := probe.OutOfFold(ctx, engine.Trainer, train.Data, folds.Of, f.n, nil, t.options)
	if errors.Is(err, headtrain.ErrDiverged) {
		return scores{why: "a head of a fold diverged"}, nil
	}
	return scores{logits: logits, labels: train.Data.Labels, folds: f.n}, err
}

// calibrate fits the temperature of the head and chooses its rejection threshold, on rows
// that it did not learn from, and puts both into the head.
func calibrate(ctx context.Context, t task, head *headtrain.Head, engine headtrain.Engine, o Answers, j *journal.Journal) (report.Answering, error) {
	a := report.Answering{Temperature: 1, Goal: o.Reject, Parts: map[string]report.PartAnswers{}}
	reject := o.Reject != judge.Goal{}
	if !o.Calibrate && !reject {
		return a, nil
	}
	s, err := t.unseen.score(ctx, t, head, engine)
	if err != nil {
		return a, err
	}
	if s.rows() == 0 {
		if a.Note = s.why; reject {
			j.Note("no threshold of rejection is chosen: " + a.Note)
		}
		return a, nil
	}
	on := "validation"
	if s.folds > 0 {
		on = "the training images, out of fold,"
		a.OutOfFold = &report.FoldAnswers{Folds: s.folds, Rows: s.rows()}
	} else {
		a.ValRows, a.Refit = s.rows(), s.refit
	}
	if o.Calibrate {
		if err := fitTemperature(ctx, &a, s, head, on); err != nil {
			return a, err
		}
	}
	answers, err := judge.NewAnswers(ctx, s.logits, s.labels, a.Temperature)
	if err != nil {
		return a, err
	}
	if reject {
		if err := chooseThreshold(&a, answers, head, on, j); err != nil {
			return a, err
		}
	}
	return a, judgeFolds(ctx, &a, s, answers)
}

func fitTemperature(ctx context.Context, a *report.Answering, s scores, head *headtrain.Head, on string) error {
	temperature, ok, err := judge.Temperature(ctx, s.logits, s.labels)
	if err != nil {
		return err
	}
	a.Temperature = temperature
	if ok {
		head.Temperature = temperature
	} else {
		a.Note = "no temperature fits: there are too few mistakes on " + on + " or too many"
	}
	return nil
}

func chooseThreshold(a *report.Answering, answers *judge.Answers, head *headtrain.Head, on string, j *journal.Journal) error {
	r, reached, err := answers.Threshold(a.Goal)
	if err != nil {
		return err
	}
	if !reached {
		j.Note(fmt.Sprintf("no threshold of rejection makes %s of the answers on %s right; the best one does so for %s, and answers %s of the images",
			words.Percent(a.Goal.Precision), on, words.Percent(r.Precision), words.Percent(r.Coverage)))
	}
	head.Threshold, a.Threshold = r.Threshold, r.Threshold
	return nil
}

// judgeFolds measures what temperature and threshold do in the folds that they were chosen
// in. Where they were chosen on validation, that part is judged anyway.
func judgeFolds(ctx context.Context, a *report.Answering, s scores, answers *judge.Answers) error {
	f := a.OutOfFold
	if f == nil {
		return nil
	}
	plain, err := judge.NewAnswers(ctx, s.logits, s.labels, 1)
	if err != nil {
		return err
	}
	f.ECE = plain.Calibration().ECE
	f.Calibration, f.Rejection = answers.Calibration(), answers.Reject(a.Threshold)
	return nil
}
