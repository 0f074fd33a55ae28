package probe

import (
	"context"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/gram"
	"icebox/headtrain/internal/labelled"
)

// discriminants makes linear discriminants of the rows outside of each fold: classes
// are taken for Gaussians that share one covariance, that within classes, shrunk
// towards a multiple of the identity. They have a closed form, made of sums over rows.
// Those are taken once for each fold, so that leaving a fold out is a subtraction.
type discriminants struct {
	*labelled.Set
	in    affine.Map
	folds []foldSums
	all   foldSums
}

// foldSums are sums of mapped features over some rows.
type foldSums struct {
	set      *labelled.Set
	products []float64   // lower triangle of XᵀX
	sums     [][]float64 // of the rows of each class
	counts   []int
}

// newDiscriminants sums up the rows of s.
func newDiscriminants(ctx context.Context, s *labelled.Set, fold []int, folds int) (*discriminants, error) {
	x := &discriminants{Set: s, in: affine.StandardiseOnAll(s), folds: make([]foldSums, folds)}
	x.all = foldSums{products: make([]float64, s.Dim*s.Dim), counts: s.Counts(), sums: make([][]float64, len(s.Classes))}
	for c := range x.all.sums {
		x.all.sums[c] = make([]float64, s.Dim)
	}
	for f := range x.folds {
		var own []int32
		for r, of := range fold {
			if of == f {
				own = append(own, int32(r))
			}
		}
		one := &x.folds[f]
		one.set = labelled.Among(s.Matrix, own)
		one.counts, one.sums = one.set.Counts(), gram.ClassSums(one.set, x.in)
		var err error
		if one.products, err = gram.Matrix(ctx, one.set, x.in); err != nil {
			return nil, err
		}
		for i, v := range one.products {
			x.all.products[i] += v
		}
		for c, sum := range one.sums {
			for j, v := range sum {
				x.all.sums[c][j] += v
			}
		}
	}
	return x, nil
}

// leastVariance keeps the identity in the mixture if rows of a class do not vary at
// all. The variance of a feature over all rows is 1.
const leastVariance = 1e-3

// without returns heads that did not see fold f, one for each share of the identity in
// the covariance, or nil if no row is outside of the fold.
func (x *discriminants) without(ctx context.Context, f int, shares []float64) ([]*headtrain.Head, error) {
	d, own := x.Dim, &x.folds[f]
	rows := float64(len(x.Rows) - len(own.set.Rows))
	if rows == 0 {
		return nil, nil
	}
	means, counts := make([][]float64, len(x.Classes)), make([]float64, len(x.Classes))
	for c := range means {
		means[c], counts[c] = make([]float64, d), float64(x.all.counts[c]-own.counts[c])
		for j := range means[c] {
			means[c][j] = (x.all.sums[c][j] - own.sums[c][j]) / max(counts[c], 1)
		}
	}
	within, trace := x.within(own, means, counts)
	heads := make([]*headtrain.Head, len(shares))
	l := make([]float64, d*d)
	for n, share := range shares {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, v := range within {
			l[i] = float64((1 - share) / rows * v)
		}
		for j := range d {
			l[j*d+j] += share * max(trace/(rows*float64(d)), leastVariance)
		}
		if err := gram.Cholesky(l, d); err != nil {
			return nil, err
		}
		h := &headtrain.Head{Classes: x.Classes, Dim: d, W: make([]float32, len(means)*d), B: make([]float32, len(means))}
		w := make([]float64, d)
		for c, mean := range means {
			copy(w, mean)
			gram.Solve(l, d, w)
			// A class that was not seen is never the answer.
			bias := math.Log(max(counts[c], 1e-30)/rows) - gram.Dot(mean, w)/2
			for j, v := range w {
				h.W[c*d+j] = float32(v)
			}
			h.B[c] = x.in.Fold(h.W[c*d:(c+1)*d], float32(bias))
		}
		heads[n] = h
	}
	return heads, nil
}

// within returns the lower triangle of the scatter within classes outside of a fold,
// and its trace.
func (x *discriminants) within(own *foldSums, means [][]float64, counts []float64) (scatter []float64, trace float64) {
	d := x.Dim
	scatter = make([]float64, d*d)
	for i := range d {
		row := scatter[i*d : i*d+i+1]
		for j := range row {
			row[j] = x.all.products[i*d+j] - own.products[i*d+j]
		}
		for c, mean := range means {
			times := counts[c] * mean[i]
			for j := range row {
				row[j] -= float64(times * mean[j])
			}
		}
		trace += row[i]
	}
	return scatter, trace
}
