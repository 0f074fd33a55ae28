package headtrain

import (
	"math"
	"slices"

	"icebox/headtrain/internal/kernel"
)

// input is the affine map of features that comes before the linear layer:
// (x-mean)·scale, feature by feature.
type input struct{ kernel.AffineMap }

// constantShare is the standard deviation, as a share of the root mean square
// over all features, at or under which a feature counts as constant. A ReLU
// unit that is dead on the training rows has 0, one whose values differ by
// rounding alone hardly more, and dividing by that would make a signal of noise.
const constantShare = 1e-4

func newInput(kind string, s *rowSet, t *team) input {
	in := input{kernel.AffineMap{Mean: make([]float32, s.Dim), Scale: make([]float32, s.Dim)}}
	if kind != InputStandardise {
		for j := range in.Scale {
			in.Scale[j] = 1
		}
		return in
	}
	mean, std := moments(s, t)
	floor := 0.0
	for _, v := range std {
		floor += float64(v * v)
	}
	floor = constantShare * math.Sqrt(floor/float64(len(std)))
	for j, v := range std {
		in.Mean[j] = float32(mean[j])
		if v > floor {
			in.Scale[j] = float32(1 / v)
		}
	}
	return in
}

// momentRows is how many rows are summed at a time: rows of a file that is larger
// than memory are read once for the mean and once for the deviation.
const momentRows = 2048

// moments returns the mean and the standard deviation (divisor n) of each
// feature over the labelled rows, each summed in float64 over rows in order.
func moments(s *rowSet, t *team) (mean, std []float64) {
	mean, std = make([]float64, s.Dim), make([]float64, s.Dim)
	n := float64(len(s.rows))
	overRows(s, t, func(rows []int32, lo, hi int) {
		mean := mean[lo:hi]
		for _, r := range rows {
			for j, v := range s.Row(int(r))[lo:hi] {
				mean[j] += float64(v)
			}
		}
	})
	for j := range mean {
		mean[j] /= n
	}
	overRows(s, t, func(rows []int32, lo, hi int) {
		mean, std := mean[lo:hi], std[lo:hi]
		for _, r := range rows {
			for j, v := range s.Row(int(r))[lo:hi] {
				off := float64(v) - mean[j]
				std[j] += float64(off * off)
			}
		}
	})
	for j := range std {
		std[j] = math.Sqrt(std[j] / n)
	}
	return mean, std
}

// overRows calls do for some rows after others, and for all ranges of features of
// each side by side.
func overRows(s *rowSet, t *team, do func(rows []int32, lo, hi int)) {
	const columns = 64 // an item's features: four cache lines of each row
	for rows := range slices.Chunk(s.rows, momentRows) {
		t.run(t.size, (s.Dim+columns-1)/columns, func(_, item int) {
			do(rows, item*columns, min((item+1)*columns, s.Dim))
		})
	}
}

// fold writes one class' weights on mapped features as weights on raw ones and
// returns its bias there: w' = w·scale, b' = b - Σ w'·mean, in float64, with
// features in order. A constant feature gets the weight 0.
func (in input) fold(w []float32, b float32) float32 {
	bias := float64(b)
	for j := range w {
		raw := float64(w[j]) * float64(in.Scale[j])
		bias -= float64(raw * float64(in.Mean[j]))
		w[j] = float32(raw)
	}
	return float32(bias)
}
