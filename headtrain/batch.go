package headtrain

import (
	"math"

	"icebox/headtrain/internal/kernel"
)

// batch is the scratch memory of one head: a panel of gathered rows, their
// logits and what follows from them. Rows are padded up to a multiple of
// kernel.Lane; what the padding rows hold has no influence.
type batch struct {
	rows int // in use

	x        kernel.Matrix // gathered features; column Dim is 1, the bias feature
	z, e     kernel.Matrix // logits, and exponentials that become dloss/dz
	top, sum []float32     // of each row, see kernel.ISA.Exp
	soft     []float32     // of each row's class, over the sum
	loss     []float64
	hit      []bool
}

func newBatch(capacity, dim, classes int) *batch {
	n := kernel.RoundUp(capacity)
	b := &batch{
		x: matrix(n, dim, kernel.Rows(dim)),
		z: matrix(n, kernel.RoundUp(classes), kernel.RoundUp(classes)),
		e: matrix(n, kernel.RoundUp(classes), kernel.RoundUp(classes)),

		top: make([]float32, n), sum: make([]float32, n), soft: make([]float32, n),
		loss: make([]float64, n), hit: make([]bool, n),
	}
	for r := range n {
		b.x.Data[r*b.x.Stride+dim] = 1
	}
	return b
}

// matrix returns a zero matrix whose stride, at least width, is an odd number
// of cache lines: rows then spread over all sets of the cache.
func matrix(rows, cols, width int) kernel.Matrix {
	if width/kernel.Lane%2 == 0 {
		width += kernel.Lane
	}
	return kernel.Matrix{Data: make([]float32, rows*width), Rows: rows, Cols: cols, Stride: width}
}

func (b *batch) capacity() int { return b.x.Rows }

// maskPadding sets the columns that are no class to -Inf.
func maskPadding(z kernel.Matrix, classes int) {
	none := float32(math.Inf(-1))
	if classes == z.Cols {
		return
	}
	for r := range z.Rows {
		row := z.Row(r)
		for c := classes; c < len(row); c++ {
			row[c] = none
		}
	}
}
