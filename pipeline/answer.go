package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/headtrain/probe"
)

// Answers say how a head's numbers become answers for people.
type Answers struct {
	// Calibrate fits a temperature on the validation images, so that of the
	// answers given with 80 %, some 80 % are right. It changes no label.
	Calibrate bool
	// Reject chooses, on the validation images, the probability under which an
	// answer is "unknown".
	Reject judge.Goal
}

// Answering is what validation, or else the folds of a sweep, taught of a head's
// answers, and how far that holds.
type Answering struct {
	Temperature float64    `json:"temperature"` // 1: none was fitted
	Note        string     `json:"note,omitempty"`
	Threshold   float64    `json:"threshold"` // 0: every image gets an answer
	Goal        judge.Goal `json:"goal"`
	ValRows     int        `json:"val_rows"` // validation images it was all chosen on

	// Refit is set where the head learned from validation too: it was all chosen with
	// a head of the same options that learned from training alone.
	Refit bool `json:"refit,omitempty"`

	// OutOfFold is set where it was all chosen on the training images, for there is no
	// validation: by heads of the same options, each of which judged a fold that it had
	// not seen.
	OutOfFold *FoldAnswers `json:"out_of_fold,omitempty"`

	Parts map[string]PartAnswers `json:"parts"`
}

// FoldAnswers judge the answers out of fold.
type FoldAnswers struct {
	Folds int     `json:"folds"`
	Rows  int     `json:"rows"`
	ECE   float64 `json:"ece"` // as trained; Calibration has that at the temperature
	PartAnswers
}

// PartAnswers judge the answers on one part.
type PartAnswers struct {
	Calibration judge.Calibration `json:"calibration"` // at the temperature
	Rejection   judge.Rejection   `json:"rejection"`   // at the threshold
}

// checkAnswers refuses, before anything is trained, a threshold that nothing can
// choose.
func (j *job) checkAnswers() error {
	folds := j.sweep != nil && j.opts.Sweep.Folds > 0
	if j.opts.Answers.Reject != (judge.Goal{}) && len(j.train.parts[ValPart].items) == 0 && !folds {
		return fmt.Errorf("%w: head.reject chooses its threshold on validation images, and there are none: %s, or set sweep.folds in a sweep", ErrData, j.validationAdvice())
	}
	return nil
}

// fitAnswers fits temperature and threshold on rows, and by heads that did not learn
// from them: on validation, else on the folds of a sweep.
func (j *job) fitAnswers(ctx context.Context) error {
	t, o := j.train, j.opts.Answers
	t.answering = Answering{Temperature: 1, Goal: o.Reject}
	a, head, reject := &t.answering, t.result.Head, o.Reject != judge.Goal{}
	if !o.Calibrate && !reject {
		return nil
	}
	logits, labels, err := j.unseen(ctx)
	if err != nil {
		return err
	}
	if labels == nil {
		if reject {
			j.warn("head.reject: no threshold is chosen: %s", a.Note)
		}
		return nil
	}
	k, on := len(head.Classes), "validation"
	if a.OutOfFold != nil {
		on = "the training images, out of fold,"
	}
	if o.Calibrate {
		temperature, ok, err := judge.Temperature(logits, labels, k)
		if err != nil {
			return err
		}
		a.Temperature = temperature
		if ok {
			head.Temperature = temperature
		} else {
			a.Note = "no temperature fits: there are too few mistakes on " + on + " or too many"
		}
	}
	if reject {
		r, reached, err := judge.Threshold(logits, labels, k, a.Temperature, o.Reject)
		if err != nil {
			return err
		}
		if !reached {
			j.warn("head.reject: no threshold makes %s of the answers on %s right; the best one does so for %s, and answers %s of the images",
				percent(o.Reject.Precision), on, percent(r.Precision), percent(r.Coverage))
		}
		head.Threshold, a.Threshold = r.Threshold, r.Threshold
	}
	return a.judgeFolds(logits, labels, k)
}

// unseen returns logits and labels of rows by heads of the options that did not see
// them, or no labels, and why in the note.
func (j *job) unseen(ctx context.Context) (logits []float32, labels []int32, err error) {
	t, a := j.train, &j.train.answering
	val, head := t.parts[ValPart], t.result.Head
	if t.unjoined != nil {
		val = t.unjoined[ValPart]
	}
	switch {
	case len(val.items) == 0 && j.sweep != nil && j.sweep.plan.folds > 0:
		return j.unseenInFolds(ctx)
	case len(val.items) == 0:
		a.Note = "there are no images to fit a temperature on that the head did not learn from"
		return nil, nil, nil
	}
	if a.ValRows = len(val.items); t.unjoined != nil {
		if head, err = j.headOfTrainingAlone(ctx); err != nil {
			return nil, nil, err
		}
		a.Refit = true
	}
	logits = make([]float32, len(val.items)*len(head.Classes))
	head.Logits(logits, val.data.X, len(val.items))
	return logits, val.data.Labels, nil
}

// unseenInFolds trains heads of the chosen options on all folds but one each. They
// learned from a little less than the head that is kept, so that they are, if
// anything, a little less sure than it may be.
func (j *job) unseenInFolds(ctx context.Context) (logits []float32, labels []int32, err error) {
	a, train, folds := &j.train.answering, j.train.parts[TrainPart], j.sweep.plan.folds
	f, err := newFolding(j.ds, train, folds)
	if err != nil { // a fraction of the rows may be too few for the folds of all
		a.Note = fmt.Sprintf("the chosen share of the training images makes no %d folds that have every class", folds)
		return nil, nil, nil
	}
	engine, err := j.opts.headEngine()
	if err != nil {
		return nil, nil, err
	}
	logits, err = probe.OutOfFold(ctx, engine.Trainer, train.data, f.of, folds, nil, j.opts.Head)
	if errors.Is(err, headtrain.ErrDiverged) {
		a.Note = "a head of a fold diverged"
		return nil, nil, nil
	}
	a.OutOfFold = &FoldAnswers{Folds: folds, Rows: len(train.items)}
	return logits, train.data.Labels, err
}

// judgeFolds says what temperature and threshold do where they were chosen, if that
// is no part that is judged anyway.
func (a *Answering) judgeFolds(logits []float32, labels []int32, k int) error {
	f := a.OutOfFold
	if f == nil {
		return nil
	}
	plain, err := judge.Calibrate(logits, labels, k, 1)
	if err != nil {
		return err
	}
	f.ECE = plain.ECE
	f.PartAnswers, err = answersOf(logits, labels, k, a.Temperature, a.Threshold)
	return err
}

// headOfTrainingAlone trains the options of a refit on what it had before validation
// joined it. Its probabilities on validation say how sure such heads may be; those
// of the refit head would say how well it knows what it learned from.
func (j *job) headOfTrainingAlone(ctx context.Context) (*headtrain.Head, error) {
	engine, err := j.opts.headEngine()
	if err != nil {
		return nil, err
	}
	results, err := engine.Trainer.Fit(ctx, headtrain.Job{Train: j.train.unjoined[TrainPart].data, Heads: []headtrain.Options{j.opts.Head}})
	if errors.Is(err, headtrain.ErrDiverged) {
		return nil, fmt.Errorf("head.calibrate and head.reject want a head that did not learn from validation, and that one: %w; turn them off, or sweep.refit", err)
	}
	if err != nil {
		return nil, err
	}
	return results[0].Head, nil
}

// judgeAnswers judges the answers that a head gives for scored rows.
func judgeAnswers(h *headtrain.Head, s *scored, labels []int32) (PartAnswers, error) {
	temperature := h.Temperature
	if temperature == 0 {
		temperature = 1
	}
	return answersOf(s.logits, labels, len(h.Classes), temperature, h.Threshold)
}

func answersOf(logits []float32, labels []int32, k int, temperature, threshold float64) (p PartAnswers, err error) {
	if p.Calibration, err = judge.Calibrate(logits, labels, k, temperature); err != nil {
		return p, err
	}
	p.Rejection, err = judge.Reject(logits, labels, k, temperature, threshold)
	return p, err
}

// text writes a in at most two lines, for the held-out parts of a report.
func (a *Answering) text(w io.Writer, parts map[string]Score) {
	if a.Temperature != 1 {
		fmt.Fprintf(w, "calibrated  temperature %.3f", a.Temperature)
		if a.ValRows > 0 {
			fmt.Fprintf(w, ", fitted on %d validation images", a.ValRows)
		}
		if a.Refit {
			fmt.Fprint(w, " by a head of these options that learned from the others alone")
		}
		if f := a.OutOfFold; f != nil {
			fmt.Fprintf(w, " on out-of-fold scores of %s training images: %d heads of these options, each on the fold that it had not seen; out of fold ECE %.3f → %.3f", commas(f.Rows), f.Folds, f.ECE, f.Calibration.ECE)
		}
		eachHeldOut(parts, func(name string, s Score) {
			c := a.Parts[name].Calibration
			fmt.Fprintf(w, "; %s ECE %.3f → %.3f%s, loss %.4g → %.4g%s", name, s.ECE, c.ECE, worse(s.ECE, c.ECE), s.Loss, c.Loss, worse(s.Loss, c.Loss))
		})
		fmt.Fprintln(w)
	} else if a.Note != "" {
		fmt.Fprintf(w, "calibrated  not: %s\n", a.Note)
	}
	if a.Threshold > 0 {
		fmt.Fprintf(w, "unknown     under %.3f", a.Threshold)
		say := func(where string, r judge.Rejection) {
			fmt.Fprintf(w, "; %s: %s answered, %s of these right", where, percent(r.Coverage), percent(r.Precision))
		}
		if f := a.OutOfFold; f != nil {
			say("out of fold, where it was chosen", f.Rejection)
		}
		eachHeldOut(parts, func(name string, _ Score) { say(name, a.Parts[name].Rejection) })
		fmt.Fprintln(w)
	}
}

// worse says so where a temperature, fitted elsewhere, did a part no good.
func worse(before, after float64) string {
	if after > before {
		return " (worse)"
	}
	return ""
}

// eachHeldOut calls do for the parts that no head was trained on.
func eachHeldOut(parts map[string]Score, do func(name string, s Score)) {
	for _, name := range partOrder {
		if s, ok := parts[name]; ok && name != TrainPart.String() {
			do(name, s)
		}
	}
}
