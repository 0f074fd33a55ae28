package tune

import (
	"math"
	"slices"
)

// Bounds of the factor of logits, and how many steps of Newton's method look for it.
const (
	leastFactor, mostFactor = 1e-3, 1e3
	newtonSteps             = 12
)

// leastLoss returns the mean cross-entropy of logits, times the factor that makes it
// least. Weight decay makes logits smaller, and heads less sure, than they should be:
// without the factor, which is what calibration gives the head that is kept, the loss
// would speak for small decays where all are equally right.
func leastLoss(logits []float32, labels []int32) float64 {
	factor, least := 1.0, math.Inf(1)
	for range newtonSteps {
		loss, slope, curve := lossAt(factor, logits, labels)
		least = min(least, loss)
		if !(curve > 0) {
			break
		}
		next := factor - slope/curve
		next = max(factor/4, min(next, 4*factor), leastFactor) // no leap out of where the slope tells anything
		next = min(next, mostFactor)
		if math.Abs(next-factor) <= 1e-3*factor {
			break
		}
		factor = next
	}
	return least
}

// lossAt returns the mean cross-entropy of logits times a factor, and its first and second
// derivative by the factor.
func lossAt(factor float64, logits []float32, labels []int32) (loss, slope, curve float64) {
	k := len(logits) / len(labels)
	for i, y := range labels {
		z := logits[i*k : (i+1)*k]
		top := float64(slices.Max(z))
		sum, first, second := 0.0, 0.0, 0.0
		for _, v := range z {
			d := float64(v) - top
			e := math.Exp(factor * d)
			sum, first, second = sum+e, first+e*d, second+e*d*d
		}
		own, mean := float64(z[y])-top, first/sum
		loss += math.Log(sum) - factor*own
		slope += mean - own
		curve += second/sum - mean*mean
	}
	n := float64(len(labels))
	return loss / n, slope / n, curve / n
}

// accuracy is the share of rows whose own logit is the largest, the first one of equals.
func accuracy(logits []float32, labels []int32) float64 {
	k, hits := len(logits)/len(labels), 0
	for i, y := range labels {
		z := logits[i*k : (i+1)*k]
		if slices.Index(z, slices.Max(z)) == int(y) {
			hits++
		}
	}
	return float64(hits) / float64(len(labels))
}
