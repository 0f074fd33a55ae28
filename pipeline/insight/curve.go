package insight

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/headtrain/probe"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// LearningCurve is how good heads are that learn from a part of the images.
type LearningCurve struct {
	Points []CurvePoint `json:"points"`
	Folds  int          `json:"folds"`
	// Twice is what twice the images would bring, a guess.
	Twice *Guess `json:"twice,omitempty"`
}

// CurvePoint is the accuracy out of fold of heads that learned from a share of the
// images of each class.
type CurvePoint struct {
	Share    float64 `json:"share"`
	Rows     int     `json:"rows"` // that a head learned from, on average
	Accuracy float64 `json:"accuracy"`
	Error    float64 `json:"standard_error"` // of Accuracy, from its spread over folds
}

// Guess is a gain in accuracy, and the range that other readings of the same curve
// give.
type Guess struct {
	Rows int     `json:"rows"`
	Gain float64 `json:"gain"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// curveShares are the points of the curve.
var curveShares = []float64{0.1, 0.25, 0.5, 1}

// curveWork bounds the rows that the heads of the curve see, epochs included: half a
// minute or so. Past it there are two folds.
const curveWork = 4e7

// learningCurve trains heads on nested shares of the images. All take the same number
// of steps, so that the curve shows what images bring and not what epochs do. It is nil
// where a share of the images makes no head. Right says which rows heads get right that
// learned from all images but those of the row's fold.
func (s *Set) learningCurve(ctx context.Context, fold []int, right []bool, o headtrain.Options, j *journal.Journal) (*LearningCurve, error) {
	folds := Folds
	if work := float64(len(s.Data.Labels)) * float64(o.Epochs) * float64(folds*len(curveShares)); work > curveWork {
		folds = 2
	}
	curve := &LearningCurve{Folds: folds}
	rank := s.ranks(fold)
	var accuracy [][]float64 // by point and fold
	for _, share := range curveShares {
		answered, err := right, error(nil)
		if share < 1 {
			answered, err = s.learnFrom(ctx, rank, share, fold, folds, o)
		}
		if errors.Is(err, headtrain.ErrDiverged) {
			j.Note(fmt.Sprintf("no learning curve: from %s of the images, %v", words.Percent(share), err))
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		point, byFold := s.curvePoint(answered, rank, share, fold, folds)
		curve.Points = append(curve.Points, point)
		accuracy = append(accuracy, byFold)
	}
	curve.Twice = extrapolate(curve.Points, accuracy)
	return curve, nil
}

// learnFrom says which rows heads get right that learn from a share of the rows outside of
// the row's fold.
func (s *Set) learnFrom(ctx context.Context, rank []float64, share float64, fold []int, folds int, o headtrain.Options) ([]bool, error) {
	for _, epochs := range []*int{&o.Epochs, &o.Warmup, &o.StepEpochs} {
		*epochs = int(math.Round(float64(*epochs) / share))
	}
	logits, err := probe.OutOfFold(ctx, headtrain.New(), s.Data, fold, folds, shareOf(rank, share), o)
	if err != nil {
		return nil, err
	}
	answers, err := judge.NewAnswers(ctx, logits, s.Data.Labels, 1)
	if err != nil {
		return nil, err
	}
	return answers.Right(), nil
}

// ranks gives each row its place, from 0 to 1, among the rows of its class and fold,
// by content: the first tenth is then a tenth of every class in every fold.
func (s *Set) ranks(fold []int) []float64 {
	groups := map[[2]int][]int{}
	for r, y := range s.Data.Labels {
		g := [2]int{int(y), fold[r]}
		groups[g] = append(groups[g], r)
	}
	rank := make([]float64, len(fold))
	for _, rows := range groups {
		slices.SortStableFunc(rows, func(a, b int) int {
			return bytes.Compare(s.Images[a].Hash[:], s.Images[b].Hash[:])
		})
		for n, r := range rows {
			rank[r] = float64(n) / float64(len(rows))
		}
	}
	return rank
}

func shareOf(rank []float64, share float64) []bool {
	in := make([]bool, len(rank))
	for r, v := range rank {
		in[r] = v < share
	}
	return in
}

func (s *Set) curvePoint(answered []bool, rank []float64, share float64, fold []int, folds int) (CurvePoint, []float64) {
	right, rows := make([]float64, folds), make([]float64, folds)
	learned := 0
	for r, f := range fold {
		if rank[r] < share {
			learned++
		}
		if f >= folds {
			continue
		}
		rows[f]++
		if answered[r] {
			right[f]++
		}
	}
	point := CurvePoint{Share: share, Rows: learned * (Folds - 1) / Folds}
	total, n := 0.0, 0.0
	for f := range folds {
		total += right[f]
		n += rows[f]
		right[f] /= max(rows[f], 1)
	}
	point.Accuracy = total / n
	point.Error = standardError(right)
	return point, right
}

// standardError is that of the mean of v.
func standardError(v []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	return math.Sqrt(sum / float64(len(v)*(len(v)-1)))
}

// powerLaw is an error of floor + scale·rows^-rate.
type powerLaw struct{ floor, scale, rate float64 }

func (p powerLaw) at(rows float64) float64 { return p.floor + p.scale*math.Pow(rows, -p.rate) }

// fitPower fits scale and rate to the errors above a floor, by least squares of their
// logarithms. It returns false where an error is not above it.
func fitPower(points []CurvePoint, floor float64) (p powerLaw, ok bool) {
	var x, y, xx, xy float64
	n := float64(len(points))
	for _, c := range points {
		above := 1 - c.Accuracy - floor
		if above <= 0 || c.Rows == 0 {
			return p, false
		}
		u, v := math.Log(float64(c.Rows)), math.Log(above)
		x, y, xx, xy = x+u/n, y+v/n, xx+u*u/n, xy+u*v/n
	}
	if xx-x*x < 1e-9 {
		return p, false
	}
	slope := (xy - x*y) / (xx - x*x)
	return powerLaw{floor, math.Exp(y - slope*x), -slope}, true
}

// extrapolate guesses what twice the images would bring from a power law that has a
// floor, found by trying many. The range takes in a power law without one, the last
// two points alone, and two standard errors of the folds' own gains. It returns nil
// where the curve allows no guess.
func extrapolate(points []CurvePoint, byFold [][]float64) *Guess {
	last := points[len(points)-1]
	twice := Guess{Rows: 2 * last.Rows}
	gain := func(p powerLaw) float64 {
		return max(0, p.at(float64(last.Rows))-p.at(float64(twice.Rows)))
	}
	plain, ok := fitPower(points, 0)
	step, stepOK := fitPower(points[len(points)-2:], 0)
	if !ok || !stepOK {
		return nil
	}
	best, least := plain, math.Inf(1)
	for n := range 50 {
		p, ok := fitPower(points, float64(n)/50*(1-last.Accuracy))
		sum := 0.0
		for _, c := range points {
			off := 1 - c.Accuracy - p.at(float64(c.Rows))
			sum += off * off
		}
		if ok && sum < least {
			best, least = p, sum
		}
	}
	// The folds' spread of the last step that was measured, which a further one
	// is not surer than.
	var steps []float64
	for f := range byFold[0] {
		steps = append(steps, byFold[len(byFold)-1][f]-byFold[len(byFold)-2][f])
	}
	spread := 2 * standardError(steps)
	twice.Gain = gain(best)
	twice.Low = max(0, min(gain(best), gain(plain), gain(step))-spread)
	twice.High = max(gain(best), gain(plain), gain(step)) + spread
	twice.High = min(twice.High, 1-last.Accuracy)
	return &twice
}
