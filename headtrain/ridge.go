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
	s := newRowSet(train, InputNone)
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
	gramRows  = 256
)

// gramMatrix returns XᵀX of the mapped features, d×d.
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

// gramBlock is the scratch of XᵀX by the kernel that computes logits: features
// are its rows and its classes, and rows are its features.
type gramBlock struct {
	row    []float32
	xt, z  kernel.Matrix
	params []float32
}

func newGramBlock(d int) *gramBlock {
	wide := kernel.RoundUp(d)
	return &gramBlock{
		row: make([]float32, d), xt: paddedMatrix(wide, gramRows), z: paddedMatrix(wide, wide),
		params: make([]float32, kernel.ParamLen(gramRows, wide)),
	}
}

func (g *gramBlock) add(sum []float64, s *rowSet, in input, rows []int32) {
	d := s.Dim
	for r := range gramRows {
		if r < len(rows) {
			in.apply(g.row, s.Row(int(rows[r])))
		} else {
			clear(g.row)
		}
		for j, v := range g.row {
			g.xt.Data[j*g.xt.Stride+r] = v
		}
		for c := 0; c < d; c += kernel.Lane {
			copy(g.params[kernel.ParamIndex(gramRows, r, c):][:kernel.Lane], g.row[c:])
		}
	}
	kernel.Best().Forward(g.z, g.xt, g.params)
	for i := range d {
		for j, v := range g.z.Row(i)[:d] {
			sum[i*d+j] += float64(v)
		}
	}
}

// apply maps the features of one row.
func (in input) apply(dst, x []float32) {
	for j, v := range x {
		dst[j] = float32(v-in.Mean[j]) * in.Scale[j]
	}
}

// ridgeTargets returns XᵀY of the mapped features and the centred one-hot
// targets, a row of d a class, and the targets' means.
func ridgeTargets(s *rowSet, in input) (targets [][]float64, means []float64) {
	d, k := s.Dim, len(s.Classes)
	means = make([]float64, k)
	targets = make([][]float64, k)
	for c := range targets {
		targets[c] = make([]float64, d)
	}
	all, row := make([]float64, d), make([]float32, d)
	for _, r := range s.rows {
		in.apply(row, s.Row(int(r)))
		of := targets[s.Labels[r]]
		means[s.Labels[r]]++
		for j, v := range row {
			of[j] += float64(v)
			all[j] += float64(v)
		}
	}
	for c := range targets {
		means[c] /= float64(len(s.rows))
		for j, v := range all {
			targets[c][j] -= means[c] * v
		}
	}
	return targets, means
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
			row[j] = (row[j] - dot(row[:j], a[j*d:j*d+j])) / a[j*d+j]
		}
		v := row[i] - dot(row[:i], row[:i])
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
		x[i] = (x[i] - dot(l[i*d:i*d+i], x[:i])) / l[i*d+i]
	}
	for i := d - 1; i >= 0; i-- {
		x[i] /= l[i*d+i]
		for j, v := range l[i*d : i*d+i] {
			x[j] -= float64(v * x[i])
		}
	}
}

// dot sums in four lanes, which are then added in order.
func dot(a, b []float64) float64 {
	var s [4]float64
	n := len(a) / 4 * 4
	b = b[:len(a)]
	for i := 0; i < n; i += 4 {
		s[0] += float64(a[i] * b[i])
		s[1] += float64(a[i+1] * b[i+1])
		s[2] += float64(a[i+2] * b[i+2])
		s[3] += float64(a[i+3] * b[i+3])
	}
	sum := s[0] + s[1] + s[2] + s[3]
	for i := n; i < len(a); i++ {
		sum += float64(a[i] * b[i])
	}
	return sum
}
