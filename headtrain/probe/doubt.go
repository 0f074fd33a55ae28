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
	Wrong  float64   // labels that are wrong, an estimate
	Judged int       // labels that it is about
	Of     []float64 // by row, the chance that its label is wrong; 0 where it is not judged
	Logits []float32 // by row, of a head that did not see it, calibrated; 0 where it is not judged
}

// shrinkages are tried: many rows want little, a few hundred want much.
var shrinkages = []float64{0.02, 0.1, 0.5}

// doubtValues is how many logits the noise of labels is fitted to, at most.
const doubtValues = 1e7

// Labels judges the label of each row by a linear discriminant that did
// not see the rows of its fold, for folds from 0 to folds-1. To tell wrong
// labels from hard rows it takes a share of the labels to have been replaced by
// another class, any one as likely, and finds the share, and how sure the
// discriminants ought to be, by maximum likelihood; so, too, how far their
// covariance is shrunk. The share errs low where classes are mistaken that are
// hard to tell apart: such labels are not improbable. Classes with fewer rows
// than folds are not judged.
func Labels(ctx context.Context, d *headtrain.Dataset, fold []int, folds int) (*Doubts, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	s := labelled.Of((*labelled.Matrix)(d))
	if len(s.Rows) == 0 {
		return nil, fmt.Errorf("%w: no row has a label", headtrain.ErrDataset)
	}
	if len(fold) != d.Rows() {
		return nil, fmt.Errorf("%w: %d rows, but folds for %d", headtrain.ErrDataset, d.Rows(), len(fold))
	}
	if slices.ContainsFunc(fold, func(f int) bool { return f < 0 || f >= folds }) {
		return nil, fmt.Errorf("%w: folds must be from 0 to %d", headtrain.ErrDataset, folds-1)
	}
	k := len(d.Classes)
	out := &Doubts{Of: make([]float64, d.Rows()), Logits: make([]float32, d.Rows()*k)}
	counts := s.Counts()
	judged := slices.DeleteFunc(slices.Clone(s.Rows), func(r int32) bool { return counts[d.Labels[r]] < folds })
	if len(judged) == 0 || k < 2 {
		return out, nil
	}
	x, err := newDiscriminants(ctx, s, fold, folds)
	if err != nil {
		return nil, err
	}
	heads := make([][]*headtrain.Head, folds) // by fold and shrinkage
	err = parallel.Each(ctx, folds, func(ctx context.Context, f int) (err error) {
		heads[f], err = x.without(ctx, f, shrinkages)
		return err
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(heads, func(h []*headtrain.Head) bool { return h == nil }) {
		return out, nil // a fold holds all rows
	}
	some := labelled.Sample(judged, max(1, doubtValues/k))
	ofFold, someOfFold := make([][]int32, folds), make([][]int32, folds)
	for _, r := range judged {
		ofFold[fold[r]] = append(ofFold[fold[r]], r)
	}
	for i, r := range some { // their places in what is gathered
		someOfFold[fold[r]] = append(someOfFold[fold[r]], int32(i))
	}
	n, best, err := fitShrinkage(ctx, s.Gather(some), someOfFold, heads)
	if err != nil {
		return nil, err
	}
	err = parallel.Each(ctx, folds, func(_ context.Context, f int) error {
		writeLogits(heads[f][best], s.Matrix, ofFold[f], out.Logits)
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

// fitShrinkage returns the noise and the number of the shrinkage whose heads
// make the labels of m the most likely.
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

// labelNoise says how labels come about: by the softmax of sharpness·logits, and
// then a share of them is replaced by another class, any one as likely.
type labelNoise struct {
	sharpness, share float64
	loss             float64 // mean -log likelihood
}

// wrong returns the chance that a label is a replacement which the softmax
// gives the probability p.
func (n labelNoise) wrong(p float64, k int) float64 {
	replaced := n.share * other(p, k)
	return replaced / (replaced + (1-n.share)*p)
}

// other is the probability of a label of probability p after replacement.
func other(p float64, k int) float64 { return (1 - p) / float64(k-1) }

// Bounds of the sharpness, as logarithms: discriminants of many features are
// much too sure of themselves.
const leastSharpness, mostSharpness = -9, 3

// fitNoise finds the noise that makes labels the most likely, by
// golden section over the sharpness and bisection for each one's share.
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

// labelProbabilities returns the softmax of sharpness·logits at the labels, 1
// where there is none.
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

// replacedShare returns the share of replaced labels that is the most likely,
// up to a half, where the likelihood's slope is 0: it falls with the share.
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
