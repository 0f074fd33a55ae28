package kernel

import "math"

// fmaLanes sets acc[l] to v[l]·w[l]+acc[l] rounded once to float32, as the FMA
// instruction does.
//
// The product of two float32 is exact in float64. The float64 sum is rounded,
// and rounding it again to float32 goes wrong only if it lies exactly midway
// between two float32: then the error of the sum says on which side the true
// value is. Results that are subnormal in float32 have their midpoints
// elsewhere and always take that path; a sum of 0 is exact.
func fmaLanes(acc, v, w *[Lane]float32) {
	const midwayMask, midway, sign, smallestNormal = 1<<29 - 1, 1 << 28, 1 << 63, 0x381 << 52
	for l := range acc {
		p, c := float64(v[l])*float64(w[l]), float64(acc[l])
		s := float64(p) + c
		if u := math.Float64bits(s); u&midwayMask == midway || u&^sign-1 < smallestNormal-1 {
			s = roundToOdd(p, c, s)
		}
		acc[l] = float32(s)
	}
}

// roundToOdd returns p+c, whose rounded value is s, rounded instead towards
// the neighbour with an odd last bit unless exact: it can then be rounded to
// any shorter format without error (Boldo and Melquiond, 2008).
func roundToOdd(p, c, s float64) float64 {
	if math.IsInf(s, 0) || math.IsNaN(s) {
		return s
	}
	d := float64(s - p)
	rest := float64(p-float64(s-d)) + float64(c-d)
	bits := math.Float64bits(s)
	if rest == 0 || bits&1 == 1 {
		return s
	}
	if (rest > 0) == (s > 0) {
		return math.Float64frombits(bits + 1)
	}
	return math.Float64frombits(bits - 1)
}
