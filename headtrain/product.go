package headtrain

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"icebox/headtrain/internal/kernel"
)

// Rows that products are taken of at a time. A block of queries (256 KB of 512
// features) and its products with a block of the bank stay in L2; a tile of
// the bank, 16 rows, stays in L1.
const (
	queryRows = 128
	bankRows  = 256
)

// bank is a matrix of rows packed for dot products with many others, by the
// kernel that computes logits: a row of the bank is a class there. A product
// is one chain of fused multiply-adds, features in order, so its bits depend
// on its two rows alone.
type bank struct {
	dim, rows int
	params    []float32 // blocks of bankRows rows, each as a head's parameters
}

// packBank packs n rows, which row writes one by one, on all processors.
func packBank(n, dim int, row func(dst []float32, r int)) *bank {
	b := &bank{dim: dim, rows: n}
	block := kernel.ParamLen(dim, bankRows)
	b.params = make([]float32, (n+bankRows-1)/bankRows*block)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < n; lo += bankRows {
		group.Go(func() error {
			x, params := make([]float32, dim), b.params[lo/bankRows*block:]
			for r := lo; r < min(lo+bankRows, n); r++ {
				row(x, r)
				at := kernel.ParamIndex(dim, 0, r-lo)
				for j, v := range x {
					params[at+j*kernel.Lane] = v
				}
			}
			return nil
		})
	}
	_ = group.Wait() // no task fails
	return b
}

// eachBlock multiplies n queries, which row writes one by one, with the rows of
// the bank from first(query block) on, on all processors. It calls visit for
// each query and block of the bank with the products of rows at, at+1, …; those
// of one query come in order and from one goroutine.
func (b *bank) eachBlock(ctx context.Context, n int, row func(dst []float32, r int), first func(query int) int, visit func(query, at int, products []float32)) error {
	isa := kernel.Best()
	block := kernel.ParamLen(b.dim, bankRows)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < n; lo += queryRows {
		group.Go(func() error {
			queries := min(queryRows, n-lo)
			x, z := paddedMatrix(kernel.RoundUp(queries), b.dim), paddedMatrix(kernel.RoundUp(queries), bankRows)
			for q := range queries {
				row(x.Row(q), lo+q)
			}
			for at := first(lo) / bankRows * bankRows; at < b.rows; at += bankRows {
				if err := ctx.Err(); err != nil {
					return err
				}
				isa.Forward(z, x, b.params[at/bankRows*block:][:block])
				for q := range queries {
					visit(lo+q, at, z.Row(q)[:min(bankRows, b.rows-at)])
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// paddedMatrix returns a zero matrix whose rows spread over all sets of the
// cache.
func paddedMatrix(rows, cols int) kernel.Matrix {
	stride := kernel.RoundUp(cols) + kernel.Lane
	return kernel.Matrix{Data: make([]float32, rows*stride), Rows: rows, Cols: cols, Stride: stride}
}

// unitRow writes row r of d, scaled to length 1, to dst.
func (d *Dataset) unitRow(dst []float32, r int) {
	x := d.Row(r)
	scale := unitScale(x)
	for j, v := range x {
		dst[j] = v * scale
	}
}
