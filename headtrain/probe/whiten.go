package probe

import (
	"context"
	"fmt"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/gram"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/parallel"
)

// whitenFloor is what is added to the variance of each direction, as a share of the
// mean variance, so that directions that hardly vary are not blown up.
const whitenFloor = 1

// Whiten returns rows of d, labelled or not, mapped so that all directions vary about
// alike: features are standardised, and then what they have in common is taken out
// (Mahalanobis' metric, with a floor). Features of a backbone mostly tell kinds of
// things apart, so any two planes in a blue sky lie close together. What is left after
// whitening tells one picture from another of its kind, so that copies stand out.
//
// Only the angles between the mapped rows have a meaning. The result shares labels and
// classes with d. The error wraps headtrain.ErrDataset or is that of ctx, but for
// features that are too large or too small to compute with.
func Whiten(ctx context.Context, d *headtrain.Dataset) (*headtrain.Dataset, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if d.Rows() == 0 {
		return nil, fmt.Errorf("%w: there are no rows to whiten", headtrain.ErrDataset)
	}
	s := labelled.Of(&labelled.Matrix{X: d.X, Dim: d.Dim, Labels: make([]int32, d.Rows()), Classes: []string{""}})
	in := affine.StandardiseOnAll(s)
	products, err := gram.Matrix(ctx, s, in)
	if err != nil {
		return nil, err
	}
	l, err := gram.Factor(products, in, whitenFloor*float64(d.Rows()))
	if err != nil {
		return nil, err
	}
	h := whitener(l, in, d.Rows())
	out := &headtrain.Dataset{X: make([]float32, len(d.X)), Dim: d.Dim, Labels: d.Labels, Classes: d.Classes}
	const share = 1024
	err = parallel.Shares(ctx, d.Rows(), share, func(_ context.Context, lo, hi int) error {
		h.Logits(out.X[lo*d.Dim:hi*d.Dim], d.X[lo*d.Dim:hi*d.Dim], hi-lo)
		return nil
	})
	return out, err
}

// whitener returns the map by in and then by L⁻¹ as a head, scaled so that a direction
// without a floor has the variance 1.
func whitener(l []float64, in affine.Map, rows int) *headtrain.Head {
	d := len(in.Scale)
	h := &headtrain.Head{Classes: make([]string, d), Dim: d, W: make([]float32, d*d), B: make([]float32, d)}
	scale := math.Sqrt(float64(rows))
	inverse := make([]float64, d*d)
	for j := range d { // column j of L⁻¹, kept as a row
		column := inverse[j*d : (j+1)*d]
		column[j] = 1 / l[j*d+j]
		for i := j + 1; i < d; i++ {
			column[i] = -gram.Dot(l[i*d+j:i*d+i], column[j:i]) / l[i*d+i]
		}
	}
	for i := range d {
		w := h.W[i*d : (i+1)*d]
		for j := range w[:i+1] {
			w[j] = float32(scale * inverse[j*d+i])
		}
		h.B[i] = in.Fold(w, 0)
	}
	return h
}
