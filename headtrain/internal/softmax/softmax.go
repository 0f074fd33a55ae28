// Package softmax turns logits into probabilities, in float64.
package softmax

import "math"

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
