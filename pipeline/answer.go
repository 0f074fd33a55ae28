package pipeline

import (
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
		return fmt.Errorf("%w: head.reject chooses its threshold on validation images, and there are none: set data.split.val or data.val", ErrData)
	}
	return nil
}

// fitAnswers fits temperature and threshold on the validation images, and on nothing
// else.
func (j *job) fitAnswers() error {
	t, o := j.train, j.opts.Answers
	t.answering = Answering{Temperature: 1, Goal: o.Reject}
	a, head, val := &t.answering, t.result.Head, t.parts[ValPart]
	if len(val.items) == 0 {
		return nil
	}
	k := len(head.Classes)
	logits := make([]float32, len(val.items)*k)
	head.Logits(logits, val.data.X, len(val.items))
	a.ValRows = len(val.items)
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
