package judge

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/softmax"
)

// Goal is what a threshold is to reach, under which a head answers "unknown". One of
// the two is set, from 0 to 1; if both are 0 there is no goal.
type Goal struct {
	Precision float64 `json:"precision,omitempty"` // the least share of right answers among those given
	Coverage  float64 `json:"coverage,omitempty"`  // the least share of rows that get an answer
}

// Validate returns every headtrain.Fault of g, joined.
func (g Goal) Validate() error {
	var faults []error
	check := func(ok bool, field, format string, args ...any) {
		if !ok {
			faults = append(faults, headtrain.Fault{Field: field, Text: fmt.Sprintf(format, args...)})
		}
	}
	check(g.Precision >= 0 && g.Precision <= 1, "Precision", "(%v) must be from 0 to 1", g.Precision)
	check(g.Coverage >= 0 && g.Coverage <= 1, "Coverage", "(%v) must be from 0 to 1", g.Coverage)
	check(g.Precision == 0 || g.Coverage == 0, "Coverage", "(%v) cannot be given together with a precision (%v)", g.Coverage, g.Precision)
	return errors.Join(faults...)
}

// Rejection is a threshold and what it does on some labelled rows.
type Rejection struct {
	Threshold float64 `json:"threshold"` // answers of a lower probability are "unknown"
	Precision float64 `json:"precision"` // share of right answers among those given
	Coverage  float64 `json:"coverage"`  // share of rows that get an answer
	Answered  int     `json:"answered"`
	Rows      int     `json:"rows"`
}

// answer is the probability that a head gives its answer to a row, and whether that is
// right.
type answer struct {
	p     float64
	right bool
}

// answers returns those to the labelled rows, in their order.
func answers(logits []float32, labels []int32, k int, temperature float64) ([]answer, error) {
	if err := checkLogits(logits, labels, k); err != nil {
		return nil, err
	}
	var all []answer
	for i, y := range labels {
		if y >= 0 {
			best, sum := softmax.Top(logits[i*k:(i+1)*k], temperature)
			all = append(all, answer{1 / sum, best == int(y)})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no labelled row to choose a threshold with", headtrain.ErrDataset)
	}
	return all, nil
}

// Threshold chooses the threshold for a goal on labelled rows, by their probabilities
// at a temperature. For a precision it is the lowest threshold that reaches it, or, if
// none does, the one that comes closest, and reached is false. For a coverage it is the
// highest one that reaches it. It returns the faults of the goal, and an error in the
// cases in which Evaluate does.
func Threshold(logits []float32, labels []int32, classes int, temperature float64, g Goal) (r Rejection, reached bool, err error) {
	if err := g.Validate(); err != nil {
		return r, false, err
	}
	all, err := answers(logits, labels, classes, temperature)
	if err != nil {
		return r, false, err
	}
	slices.SortStableFunc(all, func(a, b answer) int { return cmp.Compare(b.p, a.p) })
	right := 0
	for i, a := range all {
		if a.right {
			right++
		}
		if i+1 < len(all) && all[i+1].p == a.p {
			continue // a threshold takes equals together
		}
		now := Rejection{a.p, ratio(right, i+1), ratio(i+1, len(all)), i + 1, len(all)}
		if g.Coverage > 0 {
			if now.Coverage >= g.Coverage {
				return now, true, nil
			}
			continue
		}
		met := now.Precision >= g.Precision
		if met || !reached && now.Precision >= r.Precision {
			r, reached = now, met || reached
		}
	}
	return r, reached, nil
}

// Reject says what a threshold does on labelled rows. It returns an error in the cases
// in which Evaluate does.
func Reject(logits []float32, labels []int32, classes int, temperature, threshold float64) (Rejection, error) {
	all, err := answers(logits, labels, classes, temperature)
	if err != nil {
		return Rejection{}, err
	}
	r := Rejection{Threshold: threshold, Rows: len(all)}
	right := 0
	for _, a := range all {
		if a.p < threshold {
			continue
		}
		r.Answered++
		if a.right {
			right++
		}
	}
	r.Precision, r.Coverage = ratio(right, r.Answered), ratio(r.Answered, r.Rows)
	return r, nil
}
