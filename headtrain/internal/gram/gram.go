// Package gram computes the sums over rows that methods in closed form need, of the
// products of all pairs of features and of the features of each class, and solves the
// linear equations that they lead to.
package gram

import (
	"context"
	"slices"

	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/parallel"
)

// sumParts and blockRows fix the order of summation. The rows are split into sumParts
// parts, and the rows of each part into blocks of blockRows. The products of a block are
// summed in float32, and the sums of blocks, and then of parts, in float64 in order.
const (
	sumParts  = 8
	blockRows = 4 * kernel.ChunkRows
)

// Matrix returns the lower triangle of XᵀX of the mapped features, as a matrix of
// s.Dim × s.Dim. Its error is that of ctx.
func Matrix(ctx context.Context, s *labelled.Set, in affine.Map) ([]float64, error) {
	d := s.Dim
	share := (len(s.Rows) + sumParts - 1) / sumParts
	parts := make([][]float64, sumParts)
	err := parallel.Each(ctx, sumParts, func(ctx context.Context, p int) error {
		rows := s.Rows[min(p*share, len(s.Rows)):min((p+1)*share, len(s.Rows))]
		sum := make([]float64, d*d)
		b := newBlock(d)
		for some := range slices.Chunk(rows, blockRows) {
			if err := ctx.Err(); err != nil {
				return err
			}
			b.add(sum, s, in, some)
		}
		parts[p] = sum
		return nil
	})
	if err != nil {
		return nil, err
	}
	total := parts[0]
	for _, part := range parts[1:] {
		for i, v := range part {
			total[i] += v
		}
	}
	return total, nil
}

// block is the memory that Matrix needs for a block of rows. It uses the kernel that
// sums gradients: features, by column, take the place of the gradients of logits.
type block struct {
	stride, tStride int
	x, xt           []float32 // mapped rows, and blocks of them by column
	g               []float32 // products of all features with a block of them
}

func newBlock(d int) *block {
	b := &block{stride: kernel.Stride(d), tStride: kernel.RoundUp(d)*kernel.Block | kernel.Lane}
	b.x = make([]float32, blockRows*b.stride)
	b.xt = make([]float32, blockRows/kernel.Block*b.tStride)
	b.g = make([]float32, kernel.RoundUp(d)*kernel.Block)
	return b
}

// add adds the products of at most blockRows rows to the lower triangle of sum.
func (b *block) add(sum []float64, s *labelled.Set, in affine.Map, rows []int32) {
	d, isa := s.Dim, kernel.Best()
	for i, r := range rows {
		isa.Affine(b.x[i*b.stride:], s.Row(int(r)), in.AffineMap, 1, nil)
	}
	for r := 0; r < len(rows); r += kernel.Block {
		isa.Transpose(b.xt[r/kernel.Block*b.tStride:], b.x[r*b.stride:], b.stride, d)
	}
	for f := 0; f < d; f += kernel.Block {
		for r := 0; r < len(rows); r += kernel.ChunkRows {
			n := min(kernel.ChunkRows, len(rows)-r)
			xt := b.xt[r/kernel.Block*b.tStride+f*kernel.Block:]
			isa.Gradient(b.g, kernel.Block, b.x[r*b.stride+f:], b.stride, xt, b.tStride, n, d-f, r == 0, nil)
		}
		for i := f; i < d; i++ {
			to := sum[i*d+f : i*d+min(f+kernel.Block, i+1)]
			for j, v := range b.g[(i-f)*kernel.Block:][:len(to)] {
				to[j] += float64(v)
			}
		}
	}
}

// ClassSums returns the sums of the mapped features of each class.
func ClassSums(s *labelled.Set, in affine.Map) [][]float64 {
	d := s.Dim
	sums := make([][]float64, len(s.Classes))
	for c := range sums {
		sums[c] = make([]float64, d)
	}
	const columns = 64 // the features of a task: four cache lines of each row
	_ = parallel.Shares(context.Background(), d, columns, func(_ context.Context, lo, hi int) error {
		mean, scale := in.Mean[lo:hi], in.Scale[lo:hi]
		for _, r := range s.Rows {
			of := sums[s.Labels[r]][lo:hi]
			for j, v := range s.Row(int(r))[lo:hi] {
				of[j] += float64(float32(v-mean[j]) * scale[j])
			}
		}
		return nil
	}) // no task fails
	return sums
}
