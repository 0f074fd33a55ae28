package headtrain

import (
	"context"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// whitenFloor is added to the variance of each direction, in shares of the
// mean one: directions that hardly vary are not blown up.
const whitenFloor = 1

// Whiten maps rows so that all directions vary about alike: the features are
// standardised, and then what they have in common is taken out (Mahalanobis'
// metric, with a floor). A backbone's features mostly tell kinds of things
// apart, and any two planes in a blue sky lie close together; what is left
// after whitening tells one picture from another of its kind, so that copies
// stand out. Angles between the mapped rows are what counts.
func Whiten(ctx context.Context, d *Dataset) (*Dataset, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	all := &Dataset{X: d.X, Dim: d.Dim, Labels: make([]int32, d.Rows()), Classes: []string{""}}
	if err := checkSet("reference", all); err != nil {
		return nil, err
	}
	s := newRowSet(all, InputNone, nil)
	in := standardised(s)
	gram, err := gramMatrix(ctx, s, in)
	if err != nil {
		return nil, err
	}
	l, ok := factor(gram, in, whitenFloor*float64(d.Rows()))
	if !ok {
		return nil, errSingular
	}
	h := whitener(l, in, d.Rows())
	out := &Dataset{X: make([]float32, len(d.X)), Dim: d.Dim, Labels: d.Labels, Classes: d.Classes}
	return out, h.logitsOnAll(ctx, out.X, d.X)
}

// whitener returns L⁻¹ after the input map, scaled to variance, as a head.
func whitener(l []float64, in input, rows int) *Head {
	d := len(in.Scale)
	h := &Head{Classes: make([]string, d), Dim: d, W: make([]float32, d*d), B: make([]float32, d)}
	scale := math.Sqrt(float64(rows))
	inverse := make([]float64, d*d)
	for j := range d { // column j of L⁻¹, kept as a row
		column := inverse[j*d : (j+1)*d]
		column[j] = 1 / l[j*d+j]
		for i := j + 1; i < d; i++ {
			column[i] = -laneDot(l[i*d+j:i*d+i], column[j:i]) / l[i*d+i]
		}
	}
	for i := range d {
		w := h.W[i*d : (i+1)*d]
		for j := range w[:i+1] {
			w[j] = float32(scale * inverse[j*d+i])
		}
		h.B[i] = in.fold(w, 0)
	}
	return h
}

// logitsOnAll is Logits on all processors.
func (h *Head) logitsOnAll(ctx context.Context, dst, x []float32) error {
	const share = 1024
	k, n := len(h.Classes), len(x)/h.Dim
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for at := 0; at < n; at += share {
		group.Go(func() error {
			rows := min(share, n-at)
			h.Logits(dst[at*k:(at+rows)*k], x[at*h.Dim:(at+rows)*h.Dim], rows)
			return ctx.Err()
		})
	}
	return group.Wait()
}
