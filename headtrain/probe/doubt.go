package probe

import (
	"cmp"
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
	Wrong  float64 // an estimate of how many of the judged labels are wrong
	Judged int     // how many labels were judged
	Rows   []Doubt // row by row; zero for those that were not judged
}

// Doubt is what a calibrated head that did not see a row says of it.
type Doubt struct {
	Chance      float64 // that the label is wrong
	LooksLike   int     // the likeliest class
	OfLabel     float64 // probability of the label
	OfLooksLike float64 // probability of the likeliest class
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
	out := &Doubts{Rows: make([]Doubt, d.Rows())}
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
	of := make([]int, len(some)) // by row of what is gathered
	for i, r := range some {
		of[i] = fold[r]
	}
	n, best, err := fitShrinkage(ctx, s.Gather(some), of, heads)
	if err != nil {
		return nil, err
	}
	own := make([]int, d.Rows())
	for r := range own {
		own[r] = -1
	}
	for _, r := range judged {
		own[r] = fold[r]
	}
	logits := headtrain.FoldedLogits(ofShrinkage(heads, best), own, d)
	logits.Scale = float32(n.sharpness)
	out.Rows, err = headtrain.EachRow(ctx, logits, func(r int, z []float32) (row Doubt) {
		if own[r] < 0 {
			return row
		}
		best, sum := softmax.Top(z, 1)
		row.LooksLike, row.OfLooksLike = best, 1/sum
		row.OfLabel = math.Exp(float64(z[d.Labels[r]])-float64(z[best])) / sum
		row.Chance = n.wrong(max(row.OfLabel, leastProbability), k)
		return row
	})
	out.Judged, out.Wrong = len(judged), n.share*float64(len(judged))
	return out, err
}

// ofShrinkage returns the heads of one shrinkage, by fold, of heads by fold and shrinkage.
func ofShrinkage(heads [][]*headtrain.Head, n int) []*headtrain.Head {
	some := make([]*headtrain.Head, len(heads))
	for f := range heads {
		some[f] = heads[f][n]
	}
	return some
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
// the labels of m the most likely. Fold is by row of m, heads are by fold and shrinkage.
func fitShrinkage(ctx context.Context, m *labelled.Matrix, fold []int, heads [][]*headtrain.Head) (labelNoise, int, error) {
	found := make([]labelNoise, len(shrinkages))
	err := parallel.Each(ctx, len(found), func(ctx context.Context, n int) (err error) {
		logits := headtrain.FoldedLogits(ofShrinkage(heads, n), fold, (*headtrain.Dataset)(m))
		found[n], err = fitNoise(ctx, logits, m.Labels)
		return err
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
func fitNoise(ctx context.Context, logits *headtrain.Logits, labels []int32) (labelNoise, error) {
	k := logits.Classes()
	var failed error
	at := func(log float64) labelNoise {
		n := labelNoise{sharpness: math.Exp(log)}
		p, err := labelProbabilities(ctx, logits, labels, n.sharpness)
		failed = cmp.Or(failed, err)
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
	for hi-lo > 1e-3 && failed == nil {
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
	return a, failed
}

// leastProbability keeps the logarithm of a probability finite.
const leastProbability = 1e-300

// labelProbabilities returns the softmax of sharpness·logits of each row at its label.
func labelProbabilities(ctx context.Context, logits *headtrain.Logits, labels []int32, sharpness float64) ([]float64, error) {
	return headtrain.EachRow(ctx, logits, func(r int, z []float32) float64 {
		best, sum := softmax.Top(z, 1/sharpness)
		return max(math.Exp((float64(z[labels[r]])-float64(z[best]))*sharpness)/sum, leastProbability)
	})
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
