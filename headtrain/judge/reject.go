package judge

import (
	"cmp"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/fault"
	"icebox/headtrain/internal/softmax"
)

// Goal is what a threshold under which a head answers "unknown" is
// chosen for: at least this share of right answers among those given, or at
// least this share of rows answered. One of the two is set; both 0 is no goal.
type Goal struct {
	Precision float64 `json:"precision,omitempty"`
	Coverage  float64 `json:"coverage,omitempty"`
}

// Validate reports every fault at once, as one error that wraps ErrOptions.
func (g Goal) Validate() error {
	var f fault.List
	f.Check(g.Precision >= 0 && g.Precision <= 1, "reject.precision (%v) must be from 0 to 1", g.Precision)
	f.Check(g.Coverage >= 0 && g.Coverage <= 1, "reject.coverage (%v) must be from 0 to 1", g.Coverage)
	f.Check(g.Precision == 0 || g.Coverage == 0, "reject.precision and reject.coverage are two ways to choose one threshold: give one of them")
	return f.Err(headtrain.ErrOptions)
}

// Rejection is a threshold and what it does on some rows.
type Rejection struct {
	Threshold float64 `json:"threshold"` // answers less probable than this are "unknown"
	Precision float64 `json:"precision"` // share of right answers among those given
	Coverage  float64 `json:"coverage"`  // share of rows answered
	Answered  int     `json:"answered"`
	Rows      int     `json:"rows"`
}

// answer is how sure a head was of a row, and whether it was right.
type answer struct {
	p     float64
	right bool
}

// answers lists the labelled rows, the surest first.
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
	slices.SortStableFunc(all, func(a, b answer) int { return cmp.Compare(b.p, a.p) })
	return all, nil
}

// Threshold chooses the threshold for a goal on labelled rows, from
// their probabilities at a temperature. For a precision it is the lowest
// threshold that reaches it; if none does, the one that comes closest, and
// reached is false. For a coverage it is the highest that keeps it.
func Threshold(logits []float32, labels []int32, classes int, temperature float64, g Goal) (r Rejection, reached bool, err error) {
	if err := g.Validate(); err != nil {
		return r, false, err
	}
	all, err := answers(logits, labels, classes, temperature)
	if err != nil {
		return r, false, err
	}
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

// Reject says what a threshold does on labelled rows.
func Reject(logits []float32, labels []int32, classes int, temperature, threshold float64) (Rejection, error) {
	all, err := answers(logits, labels, classes, temperature)
	if err != nil {
		return Rejection{}, err
	}
	r := Rejection{Threshold: threshold, Rows: len(all)}
	right := 0
	for _, a := range all {
		if a.p < threshold {
			break
		}
		r.Answered++
		if a.right {
			right++
		}
	}
	r.Precision, r.Coverage = ratio(right, r.Answered), ratio(r.Answered, r.Rows)
	return r, nil
}
