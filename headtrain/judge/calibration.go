package judge

import (
	"fmt"
	"math"
	"slices"

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

// Calibrate judges the probabilities that logits give at a temperature above 0. It
// returns an error in the cases in which Evaluate does.
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

// maxTemperature and its inverse bound the temperatures among which Temperature looks.
const maxTemperature = 20

// Temperature returns the temperature at which logits have the least mean
// cross-entropy. It returns 1 and false if that is not between 1/20 and 20: for a head
// without a mistake it is 0, for one that is worse than guessing it is infinite. It
// returns an error in the cases in which Evaluate does.
//
// The loss is convex in 1/temperature, so Newton's steps, kept within a shrinking
// bracket, find its one minimum.
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
// cross-entropy of beta·logits. Those of a row are the mean of its logits under its
// softmax, less the logit of the label, and their variance.
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
