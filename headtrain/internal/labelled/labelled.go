// Package labelled is a matrix of features and its labelled rows, as training,
// judging and probing walk them.
package labelled

import (
	"math"
	"slices"

	"icebox/headtrain/internal/rng"
)

// Matrix has the fields of headtrain.Dataset, so that one converts to the
// other: this package is below headtrain and cannot name it.
type Matrix struct {
	X       []float32 // row-major, len(Labels) × Dim
	Dim     int
	Labels  []int32 // index into Classes, or -1 for a row without label
	Classes []string

	Finite bool
	Paged  bool
}

// Len returns the number of rows, labelled or not.
func (m *Matrix) Len() int { return len(m.Labels) }

// Row returns the features of row r.
func (m *Matrix) Row(r int) []float32 { return m.X[r*m.Dim : (r+1)*m.Dim] }

// UnitRow writes row r, scaled to length 1, to dst.
func (m *Matrix) UnitRow(dst []float32, r int) {
	x := m.Row(r)
	scale := UnitScale(x)
	for j, v := range x {
		dst[j] = v * scale
	}
}

// Gather copies rows of m, which are in ascending order. If they are all of
// them, it returns m itself.
func (m *Matrix) Gather(rows []int32) *Matrix {
	if len(rows) == m.Len() {
		return m
	}
	out := &Matrix{X: make([]float32, 0, len(rows)*m.Dim), Dim: m.Dim, Classes: m.Classes, Labels: make([]int32, 0, len(rows))}
	for _, r := range rows {
		out.X = append(out.X, m.Row(int(r))...)
		out.Labels = append(out.Labels, m.Labels[r])
	}
	return out
}

// Set is the labelled rows of a matrix, or some of them, and the factor that
// each row takes.
type Set struct {
	*Matrix
	Rows  []int32   // ascending
	scale []float32 // by row of the matrix; nil for 1
}

// Of returns the labelled rows of m.
func Of(m *Matrix) *Set {
	s := &Set{Matrix: m, Rows: make([]int32, 0, len(m.Labels))}
	for r, y := range m.Labels {
		if y >= 0 {
			s.Rows = append(s.Rows, int32(r))
		}
	}
	return s
}

// Among returns the labelled ones of some rows of m.
func Among(m *Matrix, rows []int32) *Set {
	s := &Set{Matrix: m, Rows: make([]int32, 0, len(rows))}
	for _, r := range rows {
		if m.Labels[r] >= 0 {
			s.Rows = append(s.Rows, r)
		}
	}
	return s
}

// ToUnitLength gives each row the factor that makes its length 1.
func (s *Set) ToUnitLength() {
	s.scale = make([]float32, s.Len())
	for r := range s.scale {
		s.scale[r] = UnitScale(s.Row(r))
	}
}

// Scaled reports whether any row may have a factor other than 1.
func (s *Set) Scaled() bool { return s.scale != nil }

// Scale returns the factor of row r of the matrix.
func (s *Set) Scale(r int32) float32 {
	if s.scale == nil {
		return 1
	}
	return s.scale[r]
}

// Counts returns the rows of each class.
func (s *Set) Counts() []int {
	n := make([]int, len(s.Classes))
	for _, r := range s.Rows {
		n[s.Labels[r]]++
	}
	return n
}

// UnitScale returns the factor that gives x length 1. The length counts as at
// least 1e-12, as in PyTorch's normalize.
func UnitScale(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return float32(1 / max(math.Sqrt(sum), 1e-12))
}

// Sample returns rows or, if they are more than most, a sample of that size, always the
// same one, in their order. It is random, since every n-th row may be of one class.
func Sample(rows []int32, most int) []int32 {
	if len(rows) <= most {
		return rows
	}
	some, r := slices.Clone(rows), rng.New(0, 0)
	for i := range most {
		j := i + r.Below(len(some)-i)
		some[i], some[j] = some[j], some[i]
	}
	some = some[:most]
	slices.Sort(some)
	return some
}
