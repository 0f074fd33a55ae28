package judge

import (
	"context"

	"icebox/headtrain"
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/gram"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/parallel"
)

// fitRidge returns a head for each penalty, whose logits are a ridge regression of
// standardised features on one-hot targets: those with the weights W for which
// |XW-Y|² + penalty·|W|² is least, and a free intercept. So do StandardScaler and
// Ridge(alpha=penalty) of scikit-learn. It walks the rows four times, in blocks, so
// memory does not grow with them.
func fitRidge(ctx context.Context, s *labelled.Set, penalties []float64) ([]*headtrain.Head, error) {
	r := &ridge{Set: s, in: affine.StandardiseOnAll(s)}
	var err error
	if r.products, err = gram.Matrix(ctx, s, r.in); err != nil {
		return nil, err
	}
	r.setTargets()
	heads := make([]*headtrain.Head, len(penalties))
	err = parallel.Each(ctx, len(penalties), func(_ context.Context, i int) (err error) {
		heads[i], err = r.solve(penalties[i])
		return err
	})
	return heads, err
}

// ridge is the normal equations, of the mapped features X and the centred one-hot
// targets Y.
type ridge struct {
	*labelled.Set
	in       affine.Map
	products []float64   // the lower triangle of XᵀX
	targets  [][]float64 // XᵀY by class
	means    []float64   // of the targets
}

func (r *ridge) setTargets() {
	r.means = make([]float64, len(r.Classes))
	for c, n := range r.Counts() {
		r.means[c] = float64(n) / float64(len(r.Rows))
	}
	r.targets = gram.ClassSums(r.Set, r.in)
	for j := range r.Dim {
		all := 0.0
		for c := range r.targets {
			all += r.targets[c][j]
		}
		for c := range r.targets {
			r.targets[c][j] -= r.means[c] * all
		}
	}
}

func (r *ridge) solve(penalty float64) (*headtrain.Head, error) {
	d, k := r.Dim, len(r.Classes)
	l, err := gram.Factor(r.products, r.in, penalty)
	if err != nil {
		return nil, err
	}
	h := &headtrain.Head{Classes: r.Classes, Dim: d, W: make([]float32, k*d), B: make([]float32, k)}
	x := make([]float64, d)
	for c := range k {
		copy(x, r.targets[c])
		gram.Solve(l, d, x)
		w := h.W[c*d : (c+1)*d]
		for j, v := range x {
			w[j] = float32(v)
		}
		h.B[c] = r.in.Fold(w, float32(r.means[c]))
	}
	return h, nil
}
