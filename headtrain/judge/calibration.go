package judge

import (
	"context"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/internal/softmax"
)

// binCount is the number of bins of a reliability diagram. They are of equal width,
// as in scikit-learn's calibration_curve with strategy "uniform".
const binCount = 15

// Bin is the rows whose answer has a probability in one of 15 equal ranges.
type Bin struct {
	Low        float64 `json:"low"` // above this and up to Low + 1/15; the first range holds 0 too
	Rows       int     `json:"rows"`
	Confidence float64 `json:"confidence"` // mean probability of the answer
	Accuracy   float64 `json:"accuracy"`   // share of right answers
}

// bins counts rows by the probability of their answer.
type bins struct {
	rows, right [binCount]int
	confidence  [binCount]float64
}

func (b *bins) add(p float64, right bool) {
	i := 0
	for i < binCount-1 && p > binEdge(i+1) {
		i++
	}
	b.rows[i]++
	b.confidence[i] += p
	if right {
		b.right[i]++
	}
}

// binEdge returns where bin i begins, rounded as numpy's linspace rounds it.
func binEdge(i int) float64 { return float64(i) * (1.0 / binCount) }

// finish returns all bins and the expected calibration error of the n rows in them.
func (b *bins) finish(n int) (out []Bin, ece float64) {
	for i, rows := range b.rows {
		bin := Bin{Low: binEdge(i), Rows: rows}
		if rows > 0 {
			bin.Confidence, bin.Accuracy = b.confidence[i]/float64(rows), ratio(b.right[i], rows)
			ece += math.Abs(bin.Confidence-bin.Accuracy) * float64(rows) / float64(n)
		}
		out = append(out, bin)
	}
	return out, ece
}

// Softmax writes the probabilities of one row of logits at a temperature to dst,
// which is as long as z, and returns the class of the largest logit, the lower one of
// equals. No probability is above that of this class.
func Softmax(dst []float64, z []float32, temperature float64) int {
	return softmax.Into(dst, z, temperature)
}

// Calibration is how far probabilities at one temperature can be believed.
type Calibration struct {
	Loss        float64 `json:"loss"` // mean cross-entropy
	ECE         float64 `json:"ece"`  // expected calibration error, see Report
	Reliability []Bin   `json:"reliability"`
}

// maxTemperature and its inverse bound the temperatures among which Temperature looks.
const maxTemperature = 20

// Temperature returns the temperature at which logits have the least mean
// cross-entropy. It returns 1 and false if that is not between 1/20 and 20: for a head
// without a mistake it is 0, for one that is worse than guessing it is infinite. It
// returns an error in the cases in which NewAnswers does.
//
// The loss is convex in 1/temperature, so Newton's steps, kept within a shrinking
// bracket, find its one minimum.
func Temperature(ctx context.Context, logits *headtrain.Logits, labels []int32) (temperature float64, ok bool, err error) {
	if err := checkLabels(logits, labels); err != nil {
		return 1, false, err
	}
	if err := findNotFinite(ctx, logits); err != nil {
		return 1, false, err
	}
	lo, hi := 1.0/maxTemperature, float64(maxTemperature)
	if low, _, err := lossSlope(ctx, logits, labels, lo); err != nil || low >= 0 {
		return 1, false, err
	}
	if high, _, err := lossSlope(ctx, logits, labels, hi); err != nil || high <= 0 {
		return 1, false, err
	}
	beta := 1.0
	for range 100 {
		slope, curve, err := lossSlope(ctx, logits, labels, beta)
		if err != nil {
			return 1, false, err
		}
		if slope > 0 {
			hi = beta
		} else {
			lo = beta
		}
		next := beta - slope/curve
		if !(next > lo && next < hi) {
			next = (lo + hi) / 2
		}
		done := math.Abs(next-beta) <= 1e-12*beta
		beta = next
		if done {
			break
		}
	}
	return 1 / beta, true, nil
}

// lossSlope returns the first and second derivative by beta of the summed cross-entropy of
// beta·logits.
func lossSlope(ctx context.Context, logits *headtrain.Logits, labels []int32, beta float64) (slope, curve float64, err error) {
	type terms struct{ slope, curve float64 }
	rows, err := headtrain.EachRow(ctx, logits, func(r int, z []float32) (t terms) {
		if y := labels[r]; y >= 0 {
			_, t.slope, t.curve = softmax.Slope(z, int(y), beta)
		}
		return t
	})
	for _, t := range rows {
		slope, curve = slope+t.slope, curve+t.curve
	}
	return slope, curve, err
}
