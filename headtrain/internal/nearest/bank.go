// Package nearest compares each row of a matrix with each row of another by the
// cosine of their angle.
package nearest

import (
	"context"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/parallel"
)

// QueryRows is how many queries are multiplied with a block of the bank at a time. With
// 512 features they fill a quarter of a core's second-level cache, beside the block of
// 64 KB that is read once for all of them.
const QueryRows = 120

// Bank is a matrix of rows of length 1, laid out for dot products with many
// others by the kernel that computes logits: a query is a class there. The bits
// of a product depend on its two rows alone.
type Bank struct {
	dim, rows int
	x         []float32 // rows, stride apart, with zero rows up to a whole block
}

// NewBank lays out the rows of m, scaled to length 1.
func NewBank(m *labelled.Matrix) *Bank {
	stride := kernel.Stride(m.Dim)
	b := &Bank{dim: m.Dim, rows: m.Len(), x: make([]float32, kernel.RoundUp(m.Len())*stride)}
	const share = 1024
	_ = parallel.Shares(context.Background(), m.Len(), share, func(_ context.Context, lo, hi int) error {
		for r := lo; r < hi; r++ {
			m.UnitRow(b.x[r*stride:][:m.Dim], r)
		}
		return nil
	}) // no task fails
	return b
}

// EachBlock multiplies the rows of queries, scaled to length 1, with the rows of
// the bank from first(query) or a few before it on. It calls visit for each query
// and block of the bank with the products of rows at, at+1, …; those of one query
// come in order and from one goroutine.
func (b *Bank) EachBlock(ctx context.Context, queries *labelled.Matrix, first func(query int) int, visit func(query, at int, products []float32)) error {
	isa, stride := kernel.Best(), kernel.Stride(b.dim)
	return parallel.Shares(ctx, queries.Len(), QueryRows, func(ctx context.Context, lo, hi int) error {
		n := hi - lo
		x, z := make([]float32, n*stride), make([]float32, n*kernel.Block)
		for q := range n {
			queries.UnitRow(x[q*stride:][:b.dim], lo+q)
		}
		for at := first(lo) / kernel.Block * kernel.Block; at < b.rows; at += kernel.Block {
			if err := ctx.Err(); err != nil {
				return err
			}
			isa.Forward(z, b.x[at*stride:], stride, x, stride, b.dim, n, nil)
			for q := range n {
				visit(lo+q, at, z[q*kernel.Block:][:min(kernel.Block, b.rows-at)])
			}
		}
		return nil
	})
}
