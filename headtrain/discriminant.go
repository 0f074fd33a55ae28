package headtrain

import (
	"context"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// discriminants makes linear discriminants of the rows outside of each fold:
// classes are Gaussians of one covariance, that within classes, shrunk to a
// multiple of the identity. They are in closed form, and what makes them is
// summed once for each fold: leaving one out is a subtraction.
type discriminants struct {
	*rowSet
	in    input
	folds []foldSums
	all   foldSums
}

// foldSums are sums over rows of mapped features.
type foldSums struct {
	set    *rowSet
	gram   []float64   // lower triangle of XᵀX
	sums   [][]float64 // of the rows of each class
	counts []int
}

// newDiscriminants sums up the labelled rows of d.
func newDiscriminants(ctx context.Context, d *Dataset, fold []int, folds int) (*discriminants, error) {
	s := newRowSet(d, InputNone, nil)
	x := &discriminants{rowSet: s, in: standardised(s), folds: make([]foldSums, folds)}
	x.all = foldSums{gram: make([]float64, d.Dim*d.Dim), counts: s.counts(), sums: make([][]float64, len(d.Classes))}
	for c := range x.all.sums {
		x.all.sums[c] = make([]float64, d.Dim)
	}
	for f := range x.folds {
		own := []int32{} // nil would be all
		for r, of := range fold {
			if of == f {
				own = append(own, int32(r))
			}
		}
		one := &x.folds[f]
		one.set = newRowSet(d, InputNone, own)
		one.counts, one.sums = one.set.counts(), classSums(one.set, x.in)
		var err error
		if one.gram, err = gramMatrix(ctx, one.set, x.in); err != nil {
			return nil, err
		}
		for i, v := range one.gram {
			x.all.gram[i] += v
		}
		for c, sum := range one.sums {
			for j, v := range sum {
				x.all.sums[c][j] += v
			}
		}
	}
	return x, nil
}

// leastVariance keeps the identity in the mixture where classes have no
// variance within; the features' own is 1.
const leastVariance = 1e-3

// without returns heads that did not see a fold, one for each share of the
// identity in the covariance, or nil where it left no row.
func (x *discriminants) without(ctx context.Context, f int, shares []float64) ([]*Head, error) {
	d, own := x.Dim, &x.folds[f]
	rows := float64(len(x.rows) - len(own.set.rows))
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
	heads := make([]*Head, len(shares))
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
		if !cholesky(l, d) {
			return nil, errSingular
		}
		h := &Head{Classes: x.Classes, Dim: d, W: make([]float32, len(means)*d), B: make([]float32, len(means))}
		w := make([]float64, d)
		for c, mean := range means {
			copy(w, mean)
			choleskySolve(l, d, w)
			// A class that was not seen is never the answer.
			bias := math.Log(max(counts[c], 1e-30)/rows) - laneDot(mean, w)/2
			for j, v := range w {
				h.W[c*d+j] = float32(v)
			}
			h.B[c] = x.in.fold(h.W[c*d:(c+1)*d], float32(bias))
		}
		heads[n] = h
	}
	return heads, nil
}

// within returns the scatter within classes outside of a fold, its lower
// triangle, and its trace.
func (x *discriminants) within(own *foldSums, means [][]float64, counts []float64) (scatter []float64, trace float64) {
	d := x.Dim
	scatter = make([]float64, d*d)
	for i := range d {
		row := scatter[i*d : i*d+i+1]
		for j := range row {
			row[j] = x.all.gram[i*d+j] - own.gram[i*d+j]
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

// eachFold calls f for every fold on all processors.
func (x *discriminants) eachFold(ctx context.Context, f func(ctx context.Context, fold int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for fold := range x.folds {
		group.Go(func() error { return f(ctx, fold) })
	}
	return group.Wait()
}
