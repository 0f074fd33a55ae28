package headtrain

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"icebox/headtrain/internal/kernel"
)

// queryRows is how many queries are multiplied with a block of the bank at a
// time: with 512 features they fill a quarter of a core's L2 cache, beside a
// block of the bank, 64 KB, that is read once for all of them.
const queryRows = 120

// bank is a matrix of rows laid out for dot products with many others, by the
// kernel that computes logits: a query is a class there. The bits of a product
// depend on its two rows alone.
type bank struct {
	dim, rows int
	x         []float32 // rows, stride apart, with zero rows up to a whole block
}

// packBank lays out n rows, which row writes one by one, on all processors.
func packBank(n, dim int, row func(dst []float32, r int)) *bank {
	stride := kernel.Stride(dim)
	b := &bank{dim: dim, rows: n, x: make([]float32, kernel.RoundUp(n)*stride)}
	const share = 1024
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < n; lo += share {
		group.Go(func() error {
			for r := lo; r < min(lo+share, n); r++ {
				row(b.x[r*stride:][:dim], r)
			}
			return nil
		})
	}
	_ = group.Wait() // no task fails
	return b
}

// eachBlock multiplies n queries, which row writes one by one, with the rows of
// the bank from first(query) on, on all processors. It calls visit for each
// query and block of the bank with the products of rows at, at+1, …; those of
// one query come in order and from one goroutine.
func (b *bank) eachBlock(ctx context.Context, n int, row func(dst []float32, r int), first func(query int) int, visit func(query, at int, products []float32)) error {
	isa, stride := kernel.Best(), kernel.Stride(b.dim)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < n; lo += queryRows {
		group.Go(func() error {
			queries := min(queryRows, n-lo)
			x, z := make([]float32, queries*stride), make([]float32, queries*kernel.Block)
			for q := range queries {
				row(x[q*stride:][:b.dim], lo+q)
			}
			for at := first(lo) / kernel.Block * kernel.Block; at < b.rows; at += kernel.Block {
				if err := ctx.Err(); err != nil {
					return err
				}
				isa.Forward(z, b.x[at*stride:], stride, x, stride, b.dim, queries, nil)
				for q := range queries {
					visit(lo+q, at, z[q*kernel.Block:][:min(kernel.Block, b.rows-at)])
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// unitRow writes row r of d, scaled to length 1, to dst.
func (d *Dataset) unitRow(dst []float32, r int) {
	x := d.Row(r)
	scale := unitScale(x)
	for j, v := range x {
		dst[j] = v * scale
	}
}
