package headtrain

import "math"

// The function of this file stands in for package math where a last bit may
// decide which weights are kept: Go may fuse or replace math's own differently
// on each platform. Every product is converted, so that none is fused.

// cosPi returns cos(πt) for t in [0, 1] as -sin(π(t-½)), by Taylor's series.
func cosPi(t float64) float64 {
	x := math.Pi * (t - 0.5)
	q := float64(x * x)
	sum := 0.0
	for n := 21; n >= 1; n -= 2 {
		sum = 1 - float64(q*sum)/float64((n+1)*(n+2))
	}
	return -float64(x * sum)
}
