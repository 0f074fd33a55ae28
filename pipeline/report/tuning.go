package report

import (
	"fmt"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/tune"
	"icebox/pipeline/words"
)

// Tuning says which options of a head were chosen before it was trained, and by what.
type Tuning struct {
	Note string `json:"note,omitempty"` // why nothing was chosen; the rest is then zero

	Options  *headtrain.Options `json:"options,omitempty"` // that were chosen
	Tried    []Tried            `json:"tried,omitempty"`
	Folds    int                `json:"folds,omitempty"` // that judged; 0 is validation
	Rows     int                `json:"rows,omitempty"`  // that judged
	ValRows  int                `json:"val_rows,omitempty"`
	Accuracy float64            `json:"accuracy,omitempty"` // of the choice on these rows
	Error    float64            `json:"accuracy_standard_error,omitempty"`
}

// Tried is a candidate of tuning.
type Tried struct {
	Optimizer   string   `json:"optimizer"`
	LR          float64  `json:"lr,omitempty"`
	WeightDecay float64  `json:"weight_decay"`
	Loss        *float64 `json:"loss"` // mean cross-entropy on the rows that judged, at the temperature that makes it least; null if a head diverged
	Accuracy    float64  `json:"accuracy"`
}

// NewTuning reports on a search in some folds, or, for 0, on validation. ValRows is how many
// rows validation has.
func NewTuning(out *tune.Outcome, folds, valRows int) *Tuning {
	best := out.Points[out.Best]
	t := &Tuning{Options: &best.Options, Folds: folds, Rows: len(out.Labels), ValRows: valRows, Accuracy: best.Accuracy, Error: out.Error()}
	for _, p := range out.Points {
		one := Tried{Optimizer: p.Options.Optimizer, LR: p.Options.LR, WeightDecay: p.Options.WeightDecay, Accuracy: p.Accuracy}
		if one.Optimizer == headtrain.OptimizerLBFGS {
			one.LR = 0
		}
		if !math.IsInf(p.Loss, 1) {
			one.Loss = &p.Loss
		}
		t.Tried = append(t.Tried, one)
	}
	return t
}

// String says what was chosen and by what, such as "lbfgs, weight decay 0.1: the least
// loss of 8 heads in 5 folds of 245 images, 94.3 % of them right (± 1.5 %)".
func (t *Tuning) String() string {
	if t.Note != "" {
		return "not: " + t.Note
	}
	return fmt.Sprintf("%s: the least loss of %s %s, %s right (± %s)", Chosen(*t.Options), words.Count(len(t.Tried), "head"), t.by(), words.Percent(t.Accuracy), words.Percent(t.Error))
}

// Chosen words what tuning chooses of the options of a head.
func Chosen(o headtrain.Options) string {
	if o.Optimizer == headtrain.OptimizerLBFGS {
		return fmt.Sprintf("%s, weight decay %g", o.Optimizer, o.WeightDecay)
	}
	return fmt.Sprintf("%s, lr %g, weight decay %g, %s, schedule %s", o.Optimizer, o.LR, o.WeightDecay, words.Count(o.Epochs, "epoch"), o.Schedule)
}

// by says which rows judged.
func (t *Tuning) by() string {
	switch t.Folds {
	case 0:
		return fmt.Sprintf("on %s", words.Count(t.Rows, "validation image"))
	case 1:
		return fmt.Sprintf("on %s that were held out", words.Count(t.Rows, "image"))
	}
	return fmt.Sprintf("in %d folds of %s", t.Folds, words.Count(t.Rows, "image"))
}
