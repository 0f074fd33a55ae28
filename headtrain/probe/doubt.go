package probe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/parallel"
	"icebox/headtrain/internal/softmax"
)

// Doubts is what the features say against the labels.
type Doubts struct {
	Wrong  float64   // an estimate of how many of the judged labels are wrong
	Judged int       // how many labels were judged
	Of     []float64 // the chance of each row that its label is wrong; 0 if it was not judged
	Logits []float32 // row by row, of a calibrated head that did not see the row; 0 if it was not judged
}

// shrinkages are the ones that are tried. The best one is small for many rows and large
// for a few hundred.
var shrinkages = []float64{0.02, 0.1, 0.5}

// doubtValues is the most logits that the noise of labels is fitted to.
const doubtValues = 1e7

// Labels judges the label of each row by a linear discriminant that did not see the
// rows of its fold. Row r is in fold[r], from 0 to folds-1. Labels of classes with
// fewer rows than folds are not judged.
//
// To tell wrong labels from hard rows, it supposes that a share of the labels was
// replaced by other classes, all of them as likely. By maximum likelihood it finds this
// share, how sure the discriminants ought to be, and how far to shrink their
// covariance. The share comes out too low if classes are confused that are hard to tell
// apart, since their labels are not improbable.
//
// The error wraps headtrain.ErrDataset or is that of ctx, but for features that are too
// large or too small to compute with.
func Labels(ctx context.Context, d *headtrain.Dataset, fold []int, folds int) (*Doubts, error) {
	if err := checkFolds(d, fold, folds); err != nil {
		return nil, err
	}
	s, k := labelled.Of((*labelled.Matrix)(d)), len(d.Classes)
	if len(s.Rows) == 0 {
		return nil, fmt.Errorf("%w: no row has a label", headtrain.ErrDataset)
	}
	out := &Doubts{Of: make([]float64, d.Rows()), Logits: make([]float32, d.Rows()*k)}
	counts := s.Counts()
	judged := slices.DeleteFunc(slices.Clone(s.Rows), func(r int32) bool { return counts[d.Labels[r]] < folds })
	if len(judged) == 0 || k < 2 {
		return out, nil
	}
	heads, err := outsideFolds(ctx, s, fold, folds)
	if err != nil {
		return nil, err
	}
	if heads == nil {
		return out, nil
	}
	some := labelled.Sample(judged, max(1, doubtValues/k))
	places := make([][]int32, folds) // in what is gathered
	for i, r := range some {
		places[fold[r]] = append(places[fold[r]], int32(i))
	}
	n, best, err := fitShrinkage(ctx, s.Gather(some), places, heads)
	if err != nil {
		return nil, err
	}
	own := make([][]int32, folds)
	for _, r := range judged {
		own[fold[r]] = append(own[fold[r]], r)
	}
	err = parallel.Each(ctx, folds, func(_ context.Context, f int) error {
		writeLogits(heads[f][best], s.Matrix, own[f], out.Logits)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out.Logits {
		out.Logits[i] *= float32(n.sharpness)
	}
	p := labelProbabilities(out.Logits, d.Labels, k, 1)
	for _, r := range judged {
		out.Of[r] = n.wrong(p[r], k)
	}
	out.Judged, out.Wrong = len(judged), n.share*float64(len(judged))
	return out, nil
}

func checkFolds(d *headtrain.Dataset, fold []int, folds int) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if len(fold) != d.Rows() {
		return fmt.Errorf("%w: %d rows, but folds for %d", headtrain.ErrDataset, d.Rows(), len(fold))
	}
	if slices.ContainsFunc(fold, func(f int) bool { return f < 0 || f >= folds }) {
		return fmt.Errorf("%w: folds must be from 0 to %d", headtrain.ErrDataset, folds-1)
	}
	return nil
}

// outsideFolds returns heads by fold and shrinkage, or nil if a fold holds all rows.
func outsideFolds(ctx context.Context, s *labelled.Set, fold []int, folds int) ([][]*headtrain.Head, error) {
	x, err := newDiscriminants(ctx, s, fold, folds)
	if err != nil {
		return nil, err
	}
	heads := make([][]*headtrain.Head, folds)
	err = parallel.Each(ctx, folds, func(ctx context.Context, f int) (err error) {
		heads[f], err = x.without(ctx, f, shrinkages)
		return err
	})
	if err != nil || slices.ContainsFunc(heads, func(h []*headtrain.Head) bool { return h == nil }) {
		return nil, err
	}
	return heads, nil
}

// fitShrinkage returns the noise, and which of the shrinkages has the heads that make
// the labels of m the most likely. Rows are those of m by fold, heads by fold and
// shrinkage.
func fitShrinkage(ctx context.Context, m *labelled.Matrix, rows [][]int32, heads [][]*headtrain.Head) (labelNoise, int, error) {
	found := make([]labelNoise, len(shrinkages))
	err := parallel.Each(ctx, len(found), func(ctx context.Context, n int) error {
		logits := make([]float32, m.Len()*len(m.Classes))
		for f := range rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			writeLogits(heads[f][n], m, rows[f], logits)
		}
		found[n] = fitNoise(logits, m.Labels, len(m.Classes))
		return nil
	})
	best := 0
	for n := range found {
		if found[n].loss < found[best].loss {
			best = n
		}
	}
	return found[best], best, err
}

// labelNoise says how labels are supposed to be made: they are drawn from the softmax of
// sharpness·logits, and then a share of them is replaced by other classes, all of them
// as likely.
type labelNoise struct {
	sharpness, share float64
	loss             float64 // mean -log likelihood
}

// wrong returns the chance that a label was replaced, whose softmax has the
// probability p.
func (n labelNoise) wrong(p float64, k int) float64 {
	replaced := n.share * other(p, k)
	return replaced / (replaced + (1-n.share)*p)
}

// other returns the probability that a replaced label is the one that the softmax
// gives the probability p.
func other(p float64, k int) float64 { return (1 - p) / float64(k-1) }

// The sharpness is looked for between these bounds, which are logarithms.
// Discriminants of many features are much too sure, so it may be very small.
const leastSharpness, mostSharpness = -9, 3

// fitNoise finds the noise that makes labels the most likely: the sharpness by golden
// section, and for each sharpness the share by bisection.
func fitNoise(logits []float32, labels []int32, k int) labelNoise {
	at := func(log float64) labelNoise {
		n := labelNoise{sharpness: math.Exp(log)}
		p := labelProbabilities(logits, labels, k, n.sharpness)
		n.share = replacedShare(p, k)
		for _, v := range p {
			n.loss -= math.Log((1-n.share)*v+n.share*other(v, k)) / float64(len(p))
		}
		return n
	}
	const golden = 0.6180339887498949
	lo, hi := float64(leastSharpness), float64(mostSharpness)
	x, y := hi-golden*(hi-lo), lo+golden*(hi-lo)
	a, b := at(x), at(y)
	for hi-lo > 1e-3 {
		if a.loss <= b.loss {
			hi, y, b = y, x, a
			x = hi - golden*(hi-lo)
			a = at(x)
		} else {
			lo, x, a = x, y, b
			y = lo + golden*(hi-lo)
			b = at(y)
		}
	}
	return a
}

// labelProbabilities returns the softmax of sharpness·logits of each row at its label,
// or 1 if it has none.
func labelProbabilities(logits []float32, labels []int32, k int, sharpness float64) []float64 {
	p := make([]float64, len(labels))
	for r, y := range labels {
		if p[r] = 1; y >= 0 {
			z := logits[r*k : (r+1)*k]
			best, sum := softmax.Top(z, 1/sharpness)
			p[r] = max(math.Exp((float64(z[y])-float64(z[best]))*sharpness)/sum, 1e-300)
		}
	}
	return p
}

// replacedShare returns the share of replaced labels that is the most likely, up to a
// half. There the slope of the likelihood is 0; it falls as the share grows.
func replacedShare(p []float64, k int) float64 {
	lo, hi := 0.0, 0.5
	for range 40 {
		share, slope := (lo+hi)/2, 0.0
		for _, v := range p {
			gain := other(v, k) - v
			slope += gain / (v + share*gain)
		}
		if slope > 0 {
			lo = share
		} else {
			hi = share
		}
	}
	return lo
}
