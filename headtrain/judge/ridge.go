package judge

import (
	"context"

	"icebox/headtrain"
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/gram"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/parallel"
)

// fitRidge returns heads whose logits are a ridge regression of standardised
// features on one-hot targets, one head for each penalty: the weights W that
// make |XW-Y|² + penalty·|W|² least, the intercept being free, as scikit-learn's
// StandardScaler and Ridge(alpha=penalty) do. It is in closed form, without a
// learning rate or an epoch: a check on heads that have them. It walks the rows
// three times, in blocks, so memory does not grow with them.
func fitRidge(ctx context.Context, s *labelled.Set, penalties []float64) ([]*headtrain.Head, error) {
	in := affine.StandardiseOnAll(s)
	products, err := gram.Matrix(ctx, s, in)
	if err != nil {
		return nil, err
	}
	targets, means := ridgeTargets(s, in)
	heads := make([]*headtrain.Head, len(penalties))
	err = parallel.Each(ctx, len(penalties), func(_ context.Context, i int) (err error) {
		heads[i], err = solveRidge(s, in, products, targets, means, penalties[i])
		return err
	})
	return heads, err
}

// ridgeTargets returns XᵀY of the mapped features and the centred one-hot
// targets, a row of d a class, and the targets' means.
func ridgeTargets(s *labelled.Set, in affine.Map) (targets [][]float64, means []float64) {
	means = make([]float64, len(s.Classes))
	for c, n := range s.Counts() {
		means[c] = float64(n) / float64(len(s.Rows))
	}
	targets = gram.ClassSums(s, in)
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

func solveRidge(s *labelled.Set, in affine.Map, products []float64, targets [][]float64, means []float64, penalty float64) (*headtrain.Head, error) {
	d, k := s.Dim, len(s.Classes)
	l, err := gram.Factor(products, in, penalty)
	if err != nil {
		return nil, err
	}
	h := &headtrain.Head{Classes: s.Classes, Dim: d, W: make([]float32, k*d), B: make([]float32, k)}
	x := make([]float64, d)
	for c := range k {
		copy(x, targets[c])
		gram.Solve(l, d, x)
		w := h.W[c*d : (c+1)*d]
		for j, v := range x {
			w[j] = float32(v)
		}
		h.B[c] = in.Fold(w, float32(means[c]))
	}
	return h, nil
}
