package gram

import (
	"errors"
	"math"
	"slices"

	"icebox/headtrain/internal/affine"
)

// ErrSingular is returned for equations that float64 cannot solve.
var ErrSingular = errors.New("the features are too large or too small for equations in float64")

// Factor returns the lower triangle L of which L·Lᵀ is a Gram matrix plus penalty times
// the identity, or ErrSingular.
func Factor(gram []float64, in affine.Map, penalty float64) (l []float64, err error) {
	d := len(in.Scale)
	l = slices.Clone(gram)
	for j := range d {
		l[j*d+j] += penalty
		if in.Scale[j] == 0 {
			l[j*d+j]++ // the feature is constant, so its row and column are 0
		}
	}
	return l, Cholesky(l, d)
}

// Cholesky replaces the lower triangle of the symmetric d×d matrix a by that of
// L, where a = L·Lᵀ. It returns ErrSingular if a is not positive definite.
func Cholesky(a []float64, d int) error {
	for i := range d {
		row := a[i*d : (i+1)*d]
		for j := range i {
			row[j] = (row[j] - Dot(row[:j], a[j*d:j*d+j])) / a[j*d+j]
		}
		v := row[i] - Dot(row[:i], row[:i])
		if !(v > 0) {
			return ErrSingular
		}
		row[i] = math.Sqrt(v)
	}
	return nil
}

// Solve replaces x by the solution y of L·Lᵀ·y = x.
func Solve(l []float64, d int, x []float64) {
	for i := range d {
		x[i] = (x[i] - Dot(l[i*d:i*d+i], x[:i])) / l[i*d+i]
	}
	for i := d - 1; i >= 0; i-- {
		x[i] /= l[i*d+i]
		for j, v := range l[i*d : i*d+i] {
			x[j] -= float64(v * x[i])
		}
	}
}

// Dot returns the sum of a[i]·b[i], summed in four lanes that are then added in order.
func Dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 { // with the second, the compiler leaves out checks of b
		x, y := a[:4:4], b[:4:4]
		s0 += float64(x[0] * y[0])
		s1 += float64(x[1] * y[1])
		s2 += float64(x[2] * y[2])
		s3 += float64(x[3] * y[3])
		a, b = a[4:], b[4:]
	}
	sum := s0 + s1 + s2 + s3
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}
