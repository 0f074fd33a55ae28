// Package softmax turns logits into probabilities, in float64.
package softmax

import (
	"math"
	"slices"
)

// Top returns the class of the largest logit, the lower one of equals, and the
// sum of exp((z[c]-max)/temperature) over the classes. One over the sum is the
// probability of that class.
func Top(z []float32, temperature float64) (best int, sum float64) {
	for c, v := range z {
		if v > z[best] {
			best = c
		}
	}
	for _, v := range z {
		sum += math.Exp((float64(v) - float64(z[best])) / temperature)
	}
	return best, sum
}

// Into writes the probabilities of z to dst, which is as long, and returns the
// class of the largest logit. No probability is above that class's.
func Into(dst []float64, z []float32, temperature float64) (best int) {
	best, sum := Top(z, temperature)
	for c, v := range z {
		dst[c] = math.Exp((float64(v)-float64(z[best]))/temperature) / sum
	}
	return best
}

// Slope returns the cross-entropy of beta·z where the label is y, and its first and second
// derivative by beta: the mean of z under its softmax, less z[y], and the variance.
func Slope(z []float32, y int, beta float64) (loss, slope, curve float64) {
	top := float64(slices.Max(z))
	sum, first, second := 0.0, 0.0, 0.0
	for _, v := range z {
		d := float64(v) - top
		e := math.Exp(beta * d)
		sum, first, second = sum+e, first+e*d, second+e*d*d
	}
	own, mean := float64(z[y])-top, first/sum
	return math.Log(sum) - beta*own, mean - own, second/sum - mean*mean
}
