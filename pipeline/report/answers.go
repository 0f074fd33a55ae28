package report

import (
	"fmt"
	"io"
	"strings"

	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

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

	Interval *judge.Interval `json:"accuracy_interval,omitempty"` // 95 %, of the share of answers that are right
	Units    int             `json:"accuracy_units,omitempty"`    // images, or groups of them, that the interval counts
}

// text writes a in at most two lines, for the held-out parts of a report.
func (a *Answering) text(w io.Writer, parts map[string]Score) {
	if a.Temperature != 1 {
		fmt.Fprintf(w, "calibrated  temperature %.3f", a.Temperature)
		if a.ValRows > 0 {
			fmt.Fprintf(w, ", fitted on %s", words.Count(a.ValRows, "validation image"))
		}
		if a.Refit {
			fmt.Fprint(w, " by a second head of the same options, trained on the training images alone")
		}
		if f := a.OutOfFold; f != nil {
			fmt.Fprintf(w, " on out-of-fold scores of %s: %d heads of these options, each on the fold that it had not seen; out of fold ECE %.3f → %.3f", words.Count(f.Rows, "training image"), f.Folds, f.ECE, f.Calibration.ECE)
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
			fmt.Fprintf(w, "; %s: %s answered, %s of these right", where, words.Percent(r.Coverage), words.Percent(r.Precision))
		}
		if f := a.OutOfFold; f != nil {
			say("out of fold, where it was chosen", f.Rejection)
		}
		eachHeldOut(parts, func(name string, _ Score) { say(name, a.Parts[name].Rejection) })
		fmt.Fprintln(w)
	}
}

// intervals writes those of the accuracies in a line.
func (a *Answering) intervals(w io.Writer) {
	var parts []string
	for _, name := range partOrder {
		if i := a.Parts[name].Interval; i != nil && name != dataset.Train.String() {
			parts = append(parts, name+" "+between(i))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "interval    of 95 %%, of the accuracy: %s\n", strings.Join(parts, "; "))
	}
}

// between writes an interval, such as "88.51 to 93.47 %".
func between(i *judge.Interval) string {
	return fmt.Sprintf("%.2f to %s", 100*i.Low, words.Percent(i.High))
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
		if s, ok := parts[name]; ok && name != dataset.Train.String() {
			do(name, s)
		}
	}
}
