package headtrain

import "math"

// The functions of this file stand in for package math where a last bit may
// decide which weights are kept: Go may fuse or replace math's own differently
// on each platform. Every product is converted, so that none is fused.

// ln returns the natural logarithm of a positive, finite, normal x to 2e-15:
// x = m·2ᵉ with m in [√½, √2), and ln m = 2·artanh((m-1)/(m+1)) as a series,
// whose argument is at most 0.172. Other x give math.Log's special values.
func ln(x float64) float64 {
	if !(x >= 0x1p-1022) || math.IsInf(x, 1) {
		return math.Log(x)
	}
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	s := (m - 1) / (m + 1)
	q := float64(s * s)
	sum := 0.0
	for n := 19; n >= 1; n -= 2 {
		sum = float64(sum*q) + 1/float64(n)
	}
	return float64(float64(e)*math.Ln2) + float64(2*s*sum)
}

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
