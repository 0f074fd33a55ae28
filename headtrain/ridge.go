package headtrain

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"icebox/headtrain/internal/kernel"
)

// FitRidge returns heads whose logits are a ridge regression of standardised
// features on one-hot targets, one head for each penalty: the weights W that
// make |XW-Y|² + penalty·|W|² least, the intercept being free, as scikit-learn's
// StandardScaler and Ridge(alpha=penalty) do. It is in closed form, without a
// learning rate or an epoch: a check on heads that have them.
func FitRidge(ctx context.Context, train *Dataset, penalties []float64) ([]*Head, error) {
	if err := checkSet("training", train); err != nil {
		return nil, err
	}
	return fitRidge(ctx, newRowSet(train, InputNone, nil), penalties)
}

// fitRidge is FitRidge on rows that were checked. It walks them three times, in
// blocks: memory does not grow with them.
func fitRidge(ctx context.Context, s *rowSet, penalties []float64) ([]*Head, error) {
	in := standardised(s)
	gram, err := gramMatrix(ctx, s, in)
	if err != nil {
		return nil, err
	}
	targets, means := ridgeTargets(s, in)
	heads := make([]*Head, len(penalties))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, penalty := range penalties {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			heads[i], err = solveRidge(s, in, gram, targets, means, penalty)
			return err
		})
	}
	return heads, group.Wait()
}

// standardised returns the map that training uses.
func standardised(s *rowSet) input {
	t := newTeam(runtime.GOMAXPROCS(0))
	defer t.close()
	return newInput(InputStandardise, s, t)
}

// gramParts and gramRows fix the order of summation: rows are split into this
// many parts, each part's rows into blocks of so many. A block's products are
// summed in float32, blocks and parts in float64, in order.
const (
	gramParts = 8
	gramRows  = 4 * kernel.ChunkRows
)

// gramMatrix returns the lower triangle of XᵀX of the mapped features, d×d.
func gramMatrix(ctx context.Context, s *rowSet, in input) ([]float64, error) {
	d := s.Dim
	share := (len(s.rows) + gramParts - 1) / gramParts
	parts := make([][]float64, gramParts)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for p := range parts {
		group.Go(func() error {
			rows := s.rows[min(p*share, len(s.rows)):min((p+1)*share, len(s.rows))]
			sum := make([]float64, d*d)
			g := newGramBlock(d)
			for len(rows) > 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
				n := min(gramRows, len(rows))
				g.add(sum, s, in, rows[:n])
				rows = rows[n:]
			}
			parts[p] = sum
			return nil
		})
	}
	if err := group.Wait(); err != nil {
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

// gramBlock is the scratch of XᵀX by the kernel that sums gradients: features,
// by column, are in place of what the loss says of the logits.
type gramBlock struct {
	stride, tStride int
	x, xt           []float32 // mapped rows, and blocks of them by column
	g               []float32 // products of all features with a block of them
}

func newGramBlock(d int) *gramBlock {
	g := &gramBlock{stride: kernel.Stride(d), tStride: kernel.RoundUp(d)*kernel.Block | kernel.Lane}
	g.x = make([]float32, gramRows*g.stride)
	g.xt = make([]float32, gramRows/kernel.Block*g.tStride)
	g.g = make([]float32, kernel.RoundUp(d)*kernel.Block)
	return g
}

// add adds the products of at most gramRows rows to the lower triangle of sum.
func (g *gramBlock) add(sum []float64, s *rowSet, in input, rows []int32) {
	d, isa := s.Dim, kernel.Best()
	for i, r := range rows {
		isa.Affine(g.x[i*g.stride:], s.Row(int(r)), in.AffineMap, 1, nil)
	}
	for r := 0; r < len(rows); r += kernel.Block {
		isa.Transpose(g.xt[r/kernel.Block*g.tStride:], g.x[r*g.stride:], g.stride, d)
	}
	for f := 0; f < d; f += kernel.Block {
		for r := 0; r < len(rows); r += kernel.ChunkRows {
			n := min(kernel.ChunkRows, len(rows)-r)
			xt := g.xt[r/kernel.Block*g.tStride+f*kernel.Block:]
			isa.Gradient(g.g, kernel.Block, g.x[r*g.stride+f:], g.stride, xt, g.tStride, n, d-f, r == 0, nil)
		}
		for i := f; i < d; i++ {
			to := sum[i*d+f : i*d+min(f+kernel.Block, i+1)]
			for j, v := range g.g[(i-f)*kernel.Block:][:len(to)] {
				to[j] += float64(v)
			}
		}
	}
}

// ridgeTargets returns XᵀY of the mapped features and the centred one-hot
// targets, a row of d a class, and the targets' means.
func ridgeTargets(s *rowSet, in input) (targets [][]float64, means []float64) {
	means = make([]float64, len(s.Classes))
	for c, n := range s.counts() {
		means[c] = float64(n) / float64(len(s.rows))
	}
	targets = classSums(s, in)
	for j := range s.Dim {
		all := 0.0
		for c := range targets {
			all += targets[c][j]
		}
		for c := range targets {
			targets[c][j] -= means[c] * all
		}
	}
	return targets, means
}

// classSums returns the sums of the mapped features of each class.
func classSums(s *rowSet, in input) [][]float64 {
	d := s.Dim
	sums := make([][]float64, len(s.Classes))
	for c := range sums {
		sums[c] = make([]float64, d)
	}
	const columns = 64 // a task's features: four cache lines of each row
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < d; lo += columns {
		group.Go(func() error {
			hi := min(lo+columns, d)
			mean, scale := in.Mean[lo:hi], in.Scale[lo:hi]
			for _, r := range s.rows {
				of := sums[s.Labels[r]][lo:hi]
				for j, v := range s.Row(int(r))[lo:hi] {
					of[j] += float64(float32(v-mean[j]) * scale[j])
				}
			}
			return nil
		})
	}
	_ = group.Wait() // no task fails
	return sums
}

var errSingular = errors.New("the features are too large or too small for a ridge regression")

func solveRidge(s *rowSet, in input, gram []float64, targets [][]float64, means []float64, penalty float64) (*Head, error) {
	d, k := s.Dim, len(s.Classes)
	l, ok := factor(gram, in, penalty)
	if !ok {
		return nil, errSingular
	}
	h := &Head{Classes: s.Classes, Dim: d, W: make([]float32, k*d), B: make([]float32, k)}
	x := make([]float64, d)
	for c := range k {
		copy(x, targets[c])
		choleskySolve(l, d, x)
		w := h.W[c*d : (c+1)*d]
		for j, v := range x {
			w[j] = float32(v)
		}
		h.B[c] = in.fold(w, float32(means[c]))
	}
	return h, nil
}

// factor returns L of gram + penalty = L·Lᵀ.
func factor(gram []float64, in input, penalty float64) (l []float64, ok bool) {
	d := len(in.Scale)
	l = slices.Clone(gram)
	for j := range d {
		l[j*d+j] += penalty
		if in.Scale[j] == 0 {
			l[j*d+j]++ // a feature that says nothing: its row and column are 0
		}
	}
	return l, cholesky(l, d)
}

// cholesky replaces the lower triangle of the symmetric d×d matrix a by that of
// L, where a = L·Lᵀ. It returns false if a is not positive definite.
func cholesky(a []float64, d int) bool {
	for i := range d {
		row := a[i*d : (i+1)*d]
		for j := range i {
			row[j] = (row[j] - laneDot(row[:j], a[j*d:j*d+j])) / a[j*d+j]
		}
		v := row[i] - laneDot(row[:i], row[:i])
		if !(v > 0) {
			return false
		}
		row[i] = math.Sqrt(v)
	}
	return true
}

// choleskySolve replaces x by the solution of L·Lᵀ·y = x.
func choleskySolve(l []float64, d int, x []float64) {
	for i := range d {
		x[i] = (x[i] - laneDot(l[i*d:i*d+i], x[:i])) / l[i*d+i]
	}
	for i := d - 1; i >= 0; i-- {
		x[i] /= l[i*d+i]
		for j, v := range l[i*d : i*d+i] {
			x[j] -= float64(v * x[i])
		}
	}
}

// laneDot sums in four lanes, which are then added in order.
func laneDot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 { // the second says that no index is out of range
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
