package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"icebox/headtrain"
)

// Answers say how a head's numbers become answers for people.
type Answers struct {
	// Calibrate fits a temperature on the validation images, so that of the
	// answers given with 80 %, some 80 % are right. It changes no label.
	Calibrate bool
	// Reject chooses, on the validation images, the probability under which an
	// answer is "unknown".
	Reject headtrain.RejectGoal
}

// Answering is what validation taught of a head's answers, and how far that holds.
type Answering struct {
	Temperature float64              `json:"temperature"` // 1: none was fitted
	Note        string               `json:"note,omitempty"`
	Threshold   float64              `json:"threshold"` // 0: every image gets an answer
	Goal        headtrain.RejectGoal `json:"goal"`
	ValRows     int                  `json:"val_rows"` // validation images it was all chosen on

	// Refit is set where the head learned from validation too: it was all chosen with
	// a head of the same options that learned from training alone.
	Refit bool `json:"refit,omitempty"`

	Parts map[string]PartAnswers `json:"parts"`
}

// PartAnswers judge the answers on one part.
type PartAnswers struct {
	Calibration headtrain.Calibration `json:"calibration"` // at the temperature
	Rejection   headtrain.Rejection   `json:"rejection"`   // at the threshold
}

// checkAnswers refuses, before anything is trained, a threshold that nothing can
// choose.
func (j *job) checkAnswers() error {
	if j.opts.Answers.Reject != (headtrain.RejectGoal{}) && len(j.train.parts[ValPart].items) == 0 {
		advice := "set data.split.val or data.val"
		if j.arrays != nil {
			advice = fmt.Sprintf("give %s a folder val, or an index.csv with splits", j.arrays.dir)
		}
		return fmt.Errorf("%w: head.reject chooses its threshold on validation images, and there are none: %s", ErrData, advice)
	}
	return nil
}

// fitAnswers fits temperature and threshold on the validation images, and on nothing
// else, by a head that did not learn from them.
func (j *job) fitAnswers(ctx context.Context) error {
	t, o := j.train, j.opts.Answers
	t.answering = Answering{Temperature: 1, Goal: o.Reject}
	a, head, val, fitted := &t.answering, t.result.Head, t.parts[ValPart], t.result.Head
	if t.unjoined != nil {
		val = t.unjoined[ValPart]
	}
	if len(val.items) == 0 || !o.Calibrate && o.Reject == (headtrain.RejectGoal{}) {
		return nil
	}
	if a.ValRows = len(val.items); t.unjoined != nil {
		var err error
		if fitted, err = j.headOfTrainingAlone(ctx); err != nil {
			return err
		}
		a.Refit = true
	}
	k := len(head.Classes)
	logits := make([]float32, len(val.items)*k)
	fitted.Logits(logits, val.data.X, len(val.items))
	if o.Calibrate {
		temperature, ok, err := headtrain.FitTemperature(logits, val.data.Labels, k)
		if err != nil {
			return err
		}
		a.Temperature = temperature
		if ok {
			head.Temperature = temperature
		} else {
			a.Note = "no temperature fits the validation images: there are too few mistakes among them, or too many"
		}
	}
	if o.Reject == (headtrain.RejectGoal{}) {
		return nil
	}
	r, reached, err := headtrain.ChooseRejection(logits, val.data.Labels, k, a.Temperature, o.Reject)
	if err != nil {
		return err
	}
	if !reached {
		j.warn("head.reject: no threshold makes %s of the answers on validation right; the best one does so for %s, and answers %s of the images",
			percent(o.Reject.Precision), percent(r.Precision), percent(r.Coverage))
	}
	head.Threshold, a.Threshold = r.Threshold, r.Threshold
	return nil
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
func judgeAnswers(h *headtrain.Head, s *scored, labels []int32) (p PartAnswers, err error) {
	temperature := h.Temperature
	if temperature == 0 {
		temperature = 1
	}
	if p.Calibration, err = headtrain.Calibrate(s.logits, labels, len(h.Classes), temperature); err != nil {
		return p, err
	}
	p.Rejection, err = headtrain.Reject(s.logits, labels, len(h.Classes), temperature, h.Threshold)
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
		eachHeldOut(parts, func(name string, s Score) {
			fmt.Fprintf(w, "; %s ECE %.3f → %.3f", name, s.ECE, a.Parts[name].Calibration.ECE)
		})
		fmt.Fprintln(w)
	} else if a.Note != "" {
		fmt.Fprintf(w, "calibrated  not: %s\n", a.Note)
	}
	if a.Threshold > 0 {
		fmt.Fprintf(w, "unknown     under %.3f", a.Threshold)
		eachHeldOut(parts, func(name string, _ Score) {
			r := a.Parts[name].Rejection
			fmt.Fprintf(w, "; %s: %s answered, %s of these right", name, percent(r.Coverage), percent(r.Precision))
		})
		fmt.Fprintln(w)
	}
}

// eachHeldOut calls do for the parts that no head was trained on.
func eachHeldOut(parts map[string]Score, do func(name string, s Score)) {
	for _, name := range partOrder {
		if s, ok := parts[name]; ok && name != TrainPart.String() {
			do(name, s)
		}
	}
}
