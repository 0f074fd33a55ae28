package judge

import (
	"fmt"
	"math"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/softmax"
)

// Bins is the number of bins of a reliability diagram, of equal
// width. Bin i holds probabilities above i/15 and up to (i+1)/15, the first
// one 0 as well: scikit-learn's calibration_curve with strategy "uniform".
const Bins = 15

// Bin is the rows whose answer had a probability in one range.
type Bin struct {
	Low        float64 `json:"low"` // above this, and up to Low + 1/Bins
	Rows       int     `json:"rows"`
	Confidence float64 `json:"confidence"` // mean probability of the answer
	Accuracy   float64 `json:"accuracy"`   // share of right answers
}

// bins sums up rows by the probability of their answer.
type bins struct {
	rows, right [Bins]int
	confidence  [Bins]float64
}

func (b *bins) add(p float64, right bool) {
	i := 0
	for i < Bins-1 && p > binEdge(i+1) {
		i++
	}
	b.rows[i]++
	b.confidence[i] += p
	if right {
		b.right[i]++
	}
}

// binEdge is rounded as numpy's linspace rounds it.
func binEdge(i int) float64 { return float64(i) * (1.0 / Bins) }

// finish returns all bins and the expected calibration error of n rows.
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

// Softmax writes the probabilities of one row of logits at a temperature to
// dst, in float64, and returns the class of the largest logit. Whatever the
// temperature, no probability is above that class's.
func Softmax(dst []float64, z []float32, temperature float64) int {
	return softmax.Into(dst, z, temperature)
}

// Calibration is how far probabilities at one temperature can be believed.
type Calibration struct {
	Loss        float64 `json:"loss"` // mean cross-entropy
	ECE         float64 `json:"ece"`
	Reliability []Bin   `json:"reliability"`
}

// Calibrate judges the probabilities that logits give at a temperature. It
// wants of its arguments what Evaluate wants.
func Calibrate(logits []float32, labels []int32, classes int, temperature float64) (Calibration, error) {
	if err := checkLogits(logits, labels, classes); err != nil {
		return Calibration{}, err
	}
	var c Calibration
	var bins bins
	n := 0
	for i, y := range labels {
		if y < 0 {
			continue
		}
		z := logits[i*classes : (i+1)*classes]
		best, sum := softmax.Top(z, temperature)
		c.Loss += math.Log(sum) + (float64(z[best])-float64(z[y]))/temperature
		bins.add(1/sum, best == int(y))
		n++
	}
	if n == 0 {
		return Calibration{}, fmt.Errorf("%w: no labelled row to calibrate with", headtrain.ErrDataset)
	}
	c.Loss /= float64(n)
	c.Reliability, c.ECE = bins.finish(n)
	return c, nil
}

// maxTemperature and its inverse bound what Temperature looks for.
const maxTemperature = 20

// Temperature returns the temperature at which logits have the least mean
// cross-entropy. The loss is convex in 1/temperature, where Newton's steps,
// kept inside a shrinking bracket, find the one minimum. It returns false, and
// temperature 1, if there is none within 1/20 to 20: a head without a mistake
// would have to be endlessly sure, one worse than guessing endlessly unsure.
func Temperature(logits []float32, labels []int32, classes int) (temperature float64, ok bool, err error) {
	if err := checkLogits(logits, labels, classes); err != nil {
		return 1, false, err
	}
	if !slices.ContainsFunc(labels, func(y int32) bool { return y >= 0 }) {
		return 1, false, fmt.Errorf("%w: no labelled row to calibrate with", headtrain.ErrDataset)
	}
	lo, hi := 1.0/maxTemperature, float64(maxTemperature)
	if low, _ := lossSlope(logits, labels, classes, lo); low >= 0 {
		return 1, false, nil
	}
	if high, _ := lossSlope(logits, labels, classes, hi); high <= 0 {
		return 1, false, nil
	}
	beta := 1.0
	for range 100 {
		slope, curve := lossSlope(logits, labels, classes, beta)
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

// lossSlope returns the first and second derivative by beta of the summed
// cross-entropy of beta·logits: mean and variance of a row's logits under its
// softmax, the mean less the label's.
func lossSlope(logits []float32, labels []int32, k int, beta float64) (slope, curve float64) {
	for i, y := range labels {
		if y < 0 {
			continue
		}
		z := logits[i*k : (i+1)*k]
		top := float64(slices.Max(z))
		var sum, first, second float64
		for _, v := range z {
			d := float64(v) - top
			e := math.Exp(beta * d)
			sum += e
			first += e * d
			second += e * d * d
		}
		mean := first / sum
		slope += mean - (float64(z[y]) - top)
		curve += second/sum - mean*mean
	}
	return slope, curve
}
