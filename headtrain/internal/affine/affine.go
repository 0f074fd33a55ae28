// Package affine is the map of features that comes before the first layer of a
// head: (x-mean)·scale, feature by feature.
package affine

import (
	"math"
	"runtime"
	"slices"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/team"
)

// Map maps feature j to (x[j]-Mean[j])·Scale[j].
type Map struct{ kernel.AffineMap }

// Zero returns a map of d features to 0, to be filled in.
func Zero(d int) Map {
	return Map{kernel.AffineMap{Mean: make([]float32, d), Scale: make([]float32, d)}}
}

// Identity returns the map of d features that changes nothing.
func Identity(d int) Map {
	m := Zero(d)
	for j := range m.Scale {
		m.Scale[j] = 1
	}
	return m
}

// constantShare is the standard deviation at or under which a feature counts as
// constant, as a share of the root mean square of that of all features. A ReLU unit
// that is dead on the training rows has 0, and one whose values differ by rounding
// alone hardly more; to divide by that would turn noise into a signal.
const constantShare = 1e-4

// Standardise returns the map that gives each feature mean 0 and standard
// deviation 1 over the rows of s, and 0 to features that are constant there.
func Standardise(s *labelled.Set, t *team.Team) Map {
	m := Zero(s.Dim)
	mean, std := Moments(s, t)
	floor := 0.0
	for _, v := range std {
		floor += float64(v * v)
	}
	floor = constantShare * math.Sqrt(floor/float64(len(std)))
	for j, v := range std {
		m.Mean[j] = float32(mean[j])
		if v > floor {
			m.Scale[j] = float32(1 / v)
		}
	}
	return m
}

// StandardiseOnAll is Standardise on all processors.
func StandardiseOnAll(s *labelled.Set) Map {
	t := team.New(runtime.GOMAXPROCS(0))
	defer t.Close()
	return Standardise(s, t)
}

// momentRows is how many rows are summed at a time, for all features. So the rows of a
// file that is larger than memory are read only twice: for the mean and for the
// deviation.
const momentRows = 2048

// Moments returns the mean and the standard deviation (divisor n) of each
// feature over the n rows of s, each summed in float64 over rows in order.
func Moments(s *labelled.Set, t *team.Team) (mean, std []float64) {
	mean, std = make([]float64, s.Dim), make([]float64, s.Dim)
	n := float64(len(s.Rows))
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

// overRows calls do for momentRows rows after another, and at once for all ranges of
// features of these.
func overRows(s *labelled.Set, t *team.Team, do func(rows []int32, lo, hi int)) {
	const columns = 64 // the features of a range: four cache lines of each row
	for rows := range slices.Chunk(s.Rows, momentRows) {
		t.Run(t.Size(), (s.Dim+columns-1)/columns, func(_, item int) {
			do(rows, item*columns, min((item+1)*columns, s.Dim))
		})
	}
}

// Fold turns w, the weights of one class on mapped features, into its weights on raw
// ones, and returns its bias there: w' = w·scale, b' = b - Σ w'·mean, in float64, with
// features in order. A constant feature gets the weight 0.
func (m Map) Fold(w []float32, b float32) float32 {
	bias := float64(b)
	for j := range w {
		raw := float64(w[j]) * float64(m.Scale[j])
		bias -= float64(raw * float64(m.Mean[j]))
		w[j] = float32(raw)
	}
	return float32(bias)
}
