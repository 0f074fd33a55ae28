package headtrain

import "math"

// cholesky is the lower triangle L of L·Lᵀ, by row, or what is to become one.
type cholesky struct {
	n int
	a []float64
}

// gram returns the products of columns of d values in x with those of y, n each, which are
// symmetric.
func gram(x, y []float64, n, d int) cholesky {
	c := cholesky{n, make([]float64, n*n)}
	for i := range n {
		for j := range i + 1 {
			c.a[i*n+j] = dotByFours(x[i*d:(i+1)*d], y[j*d:(j+1)*d])
		}
	}
	return c
}

// factor replaces the matrix, with something added to its diagonal, by L. It reports whether
// the matrix is positive.
func (c cholesky) factor(add float64) bool {
	for i := range c.n {
		row := c.a[i*c.n : (i+1)*c.n]
		row[i] += add
		for j := range i {
			other := c.a[j*c.n : (j+1)*c.n]
			row[j] = (row[j] - dot(row[:j], other[:j])) / other[j]
		}
		left := row[i] - dot(row[:i], row[:i])
		if !(left > 0) {
			return false
		}
		row[i] = math.Sqrt(left)
	}
	return true
}

// forward makes t L⁻¹·t.
func (c cholesky) forward(t []float64) {
	for i := range c.n {
		row := c.a[i*c.n : (i+1)*c.n]
		t[i] = (t[i] - dot(row[:i], t)) / row[i]
	}
}

// backward makes t L⁻ᵀ·t.
func (c cholesky) backward(t []float64) {
	for i := c.n - 1; i >= 0; i-- {
		row := c.a[i*c.n : (i+1)*c.n]
		t[i] /= row[i]
		addScaled(t, -t[i], row[:i])
	}
}

// least returns about the least eigenvalue of L·Lᵀ, by some steps of inverse iteration.
func (c cholesky) least() float64 {
	t, length := make([]float64, c.n), 0.0
	for i := range t {
		t[i] = 1 / math.Sqrt(float64(c.n))
	}
	for range 8 {
		c.forward(t)
		c.backward(t)
		length = math.Sqrt(dot(t, t))
		for i := range t {
			t[i] /= length
		}
	}
	return 1 / length
}
