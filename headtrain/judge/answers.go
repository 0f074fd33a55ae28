package judge

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/finite"
	"icebox/headtrain/internal/softmax"
)

// Answers are what a head says of rows at one temperature: not all logits, but what is
// judged of each row. They take 24 bytes a row. Their methods only read.
type Answers struct {
	labels      []int32 // nil where there are none
	classes     int
	temperature float64
	rows        []answer
}

// answer is what a head says of one row.
type answer struct {
	class int32   // of the largest logit, the lower one of equals
	rank  int32   // how many logits are larger than that of the label, from 0 up
	top   float32 // the largest logit
	own   float32 // that of the label
	sum   float64 // of exp((z[c]-top)/temperature) over the classes
}

// NewAnswers are the answers that logits give at a temperature above 0. Of equal logits the
// one of the lower class counts as the larger. Labels has a class for each row, or -1 for
// none; it is kept and must not change. It is nil where no row has one, and then only Of
// may be called.
//
// The error is that of ctx, or wraps headtrain.ErrDataset for lengths that do not fit,
// labels out of range, logits that are NaN or infinite, or if no row of labels has one.
func NewAnswers(ctx context.Context, logits *headtrain.Logits, labels []int32, temperature float64) (*Answers, error) {
	if labels != nil {
		if err := checkLabels(logits, labels); err != nil {
			return nil, err
		}
	}
	a := &Answers{labels: labels, classes: logits.Classes(), temperature: temperature}
	var err error
	a.rows, err = headtrain.EachRow(ctx, logits, func(r int, z []float32) answer {
		if !finite.All(z) {
			return answer{class: -1}
		}
		best, sum := softmax.Top(z, temperature)
		row := answer{class: int32(best), top: z[best], sum: sum}
		if y := a.label(r); y >= 0 {
			row.own, row.rank = z[y], rank(z, y)
		}
		return row
	})
	if err == nil && slices.ContainsFunc(a.rows, func(row answer) bool { return row.class < 0 }) {
		err = findNotFinite(ctx, logits)
	}
	return a, err
}

// findNotFinite returns an error that names the first logit that is NaN or infinite; nil
// if none is.
func findNotFinite(ctx context.Context, logits *headtrain.Logits) error {
	type place struct {
		class int
		v     float32
	}
	found, err := headtrain.EachRow(ctx, logits, func(_ int, z []float32) place {
		if c := finite.FirstNot(z); c >= 0 {
			return place{c, z[c]}
		}
		return place{class: -1}
	})
	if err != nil {
		return err
	}
	for r, p := range found {
		if p.class >= 0 {
			return fmt.Errorf("%w: the logit of row %d, class %d is %v", headtrain.ErrDataset, r, p.class, p.v)
		}
	}
	return nil
}

// checkLabels refuses labels that do not fit, or that no row has.
func checkLabels(logits *headtrain.Logits, labels []int32) error {
	if err := logits.CheckLabels(labels); err != nil {
		return err
	}
	if !slices.ContainsFunc(labels, func(y int32) bool { return y >= 0 }) {
		return fmt.Errorf("%w: no labelled row to judge by", headtrain.ErrDataset)
	}
	return nil
}

// rank is how many logits are larger than that of class y.
func rank(z []float32, y int) int32 {
	n := int32(0)
	for c, v := range z {
		if v > z[y] || v == z[y] && c < y {
			n++
		}
	}
	return n
}

// label is that of a row; -1 is none.
func (a *Answers) label(r int) int {
	if a.labels == nil {
		return -1
	}
	return int(a.labels[r])
}

// Of returns the answer to row r: the likeliest class, its probability, and that of the
// row's label, 0 if it has none. No probability is above that of the answer.
func (a *Answers) Of(r int) (class int, p, ofLabel float64) {
	row := &a.rows[r]
	if a.label(r) >= 0 {
		ofLabel = math.Exp((float64(row.own)-float64(row.top))/a.temperature) / row.sum
	}
	return int(row.class), 1 / row.sum, ofLabel
}

// Right says of each row whether its answer is its label.
func (a *Answers) Right() []bool {
	right := make([]bool, len(a.rows))
	for r := range right {
		right[r] = a.right(r)
	}
	return right
}

func (a *Answers) right(r int) bool { return int(a.rows[r].class) == a.label(r) }

// Report judges the answers. Names are those of the classes.
func (a *Answers) Report(names []string) Report {
	r := newReport(names)
	var bins bins
	for n, y := range a.labels {
		if y >= 0 {
			r.add(&a.rows[n], int(y), a.temperature)
			bins.add(1/a.rows[n].sum, a.right(n))
		}
	}
	r.Reliability, r.ECE = bins.finish(r.N)
	r.finish()
	return r
}

// Calibration says how far the probabilities of the answers can be believed.
func (a *Answers) Calibration() Calibration {
	var c Calibration
	var bins bins
	n := 0
	for r, y := range a.labels {
		if y < 0 {
			continue
		}
		row := &a.rows[r]
		c.Loss += math.Log(row.sum) + (float64(row.top)-float64(row.own))/a.temperature
		bins.add(1/row.sum, a.right(r))
		n++
	}
	c.Loss /= float64(n)
	c.Reliability, c.ECE = bins.finish(n)
	return c
}

// sure is how sure an answer is, and whether it is right.
type sure struct {
	p     float64
	right bool
}

// labelled returns how sure the answers to the labelled rows are, in their order.
func (a *Answers) labelled() []sure {
	var all []sure
	for r, y := range a.labels {
		if y >= 0 {
			all = append(all, sure{1 / a.rows[r].sum, a.right(r)})
		}
	}
	return all
}

// Threshold chooses the threshold for a goal. For a precision it is the lowest threshold
// that reaches it, or, if none does, the one that comes closest, and reached is false. For
// a coverage it is the highest one that reaches it. It returns the faults of the goal.
func (a *Answers) Threshold(g Goal) (r Rejection, reached bool, err error) {
	if err := g.Validate(); err != nil {
		return r, false, err
	}
	all := a.labelled()
	slices.SortStableFunc(all, func(a, b sure) int { return cmp.Compare(b.p, a.p) })
	right := 0
	for i, s := range all {
		if s.right {
			right++
		}
		if i+1 < len(all) && all[i+1].p == s.p {
			continue // a threshold takes equals together
		}
		now := Rejection{s.p, ratio(right, i+1), ratio(i+1, len(all)), i + 1, len(all)}
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

// Rejections says what thresholds do, from one under which every row gets an answer to ones
// that only the surest pass: at most the given number of them, evenly spread over the rows.
func (a *Answers) Rejections(most int) []Rejection {
	all := a.labelled()
	slices.SortStableFunc(all, func(a, b sure) int { return cmp.Compare(b.p, a.p) })
	step := max(1, (len(all)+most-1)/max(most, 1))
	var curve []Rejection
	right := 0
	for i, s := range all {
		if s.right {
			right++
		}
		last := i+1 == len(all)
		if !last && (all[i+1].p == s.p || (len(all)-i-1)%step != 0) {
			continue // a threshold takes equals together
		}
		curve = append(curve, Rejection{s.p, ratio(right, i+1), ratio(i+1, len(all)), i + 1, len(all)})
	}
	slices.Reverse(curve)
	return curve
}

// Reject says what a threshold does.
func (a *Answers) Reject(threshold float64) Rejection {
	all := a.labelled()
	r := Rejection{Threshold: threshold, Rows: len(all)}
	right := 0
	for _, s := range all {
		if s.p < threshold {
			continue
		}
		r.Answered++
		if s.right {
			right++
		}
	}
	r.Precision, r.Coverage = ratio(right, r.Answered), ratio(r.Answered, r.Rows)
	return r
}
