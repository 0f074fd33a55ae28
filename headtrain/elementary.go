package headtrain

import "math"

// The functions of this file take the place of those of package math where a last
// bit would change the weights: Go may compute those differently on each platform.
// Every product is converted to its own type, so that none is fused with a sum.

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

// exp returns eˣ for x ≤ 0 by Taylor's series around a multiple of ln 2.
func exp(x float64) float64 {
	if x < -700 {
		return 0
	}
	n := math.Floor(x/math.Ln2 + 0.5)
	r := x - float64(n*math.Ln2)
	sum := 1.0
	for k := 17; k >= 1; k-- {
		sum = 1 + float64(r*sum)/float64(k)
	}
	return math.Ldexp(sum, int(n))
}

// log returns ln x for positive finite x: of x = m·2ᵉ, ln m is 2·artanh t with
// t = (m-1)/(m+1), by its series.
func log(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	t := (m - 1) / (m + 1)
	q, sum := float64(t*t), 0.0
	for n := 25; n >= 1; n -= 2 {
		sum = 1/float64(n) + float64(q*sum)
	}
	return float64(2*t*sum) + float64(float64(e)*math.Ln2)
}
