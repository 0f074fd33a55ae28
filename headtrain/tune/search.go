package tune

import (
	"context"
	"errors"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/internal/parallel"
)

// How far a head of a path is trained that is only to be compared with others. Ten times
// the precision takes three times as long and moves the choice by no more than chance
// does.
const (
	tolerance      = 0.03
	pathIterations = 50
)

// A path ends where the loss is clearlyWorse times the least one, or more, since smaller
// decays overfit more and more, and take the most passes. Where fewer than manyRows judge,
// a single loss may be so by chance, and it takes two, one after the other.
const (
	clearlyWorse = 1.01
	manyRows     = 1000
)

// Search is the candidates, and the rows that they learn from and are judged by.
type Search struct {
	Trainer headtrain.Trainer
	Train   *headtrain.Dataset
	Val     *headtrain.Dataset  // judges those of a part without Val; nil where each has one
	Parts   []headtrain.Part    // folds of a cross-validation, or one part
	Heads   []headtrain.Options // see Candidates
	Done    func()              // is told of each head that is judged; may be nil
}

// Point is a candidate and how it did on the rows that judge, each of them judged by a
// head that did not learn from it.
type Point struct {
	Options  headtrain.Options
	Loss     float64 // mean cross-entropy at the temperature that makes it least; +Inf if a head diverged
	Accuracy float64
}

// Outcome is what a search found.
type Outcome struct {
	Points []Point // in the order of Search.Heads; a path may end before the last of these
	Best   int     // the point of the least loss, the first one of equals

	Logits []float32 // of the best point's heads, rows × classes
	Labels []int32   // of the rows that judged, part by part
}

// Error is the standard error of the best point's accuracy.
func (o *Outcome) Error() float64 {
	a := o.Points[o.Best].Accuracy
	return math.Sqrt(a * (1 - a) / float64(len(o.Labels)))
}

// Run trains and judges every candidate. The outcome depends on the rows and the options
// alone, not on threads or time. If every candidate diverges, the error wraps
// headtrain.ErrDiverged; it may be one of the datasets or that of ctx.
func (s Search) Run(ctx context.Context) (*Outcome, error) {
	r := &search{Search: s, logits: make([][]float32, len(s.Heads)), outcome: &Outcome{}, least: math.Inf(1)}
	for _, p := range s.Parts {
		judge := s.judgeOf(p)
		r.judges = append(r.judges, judge)
		r.outcome.Labels = append(r.outcome.Labels, judge.Labels...)
	}
	train := r.each
	if s.alongPath() {
		train = r.walk
	}
	if err := train(ctx); err != nil {
		return nil, err
	}
	r.outcome.Logits = r.logits[r.outcome.Best]
	return r.outcome, nil
}

// alongPath reports whether the candidates are a path of weight decays.
func (s Search) alongPath() bool { return s.Heads[0].Optimizer == headtrain.OptimizerLBFGS }

// judgeOf gathers the rows that judge the heads of a part.
func (s Search) judgeOf(p headtrain.Part) *headtrain.Dataset {
	if p.Val == nil {
		return s.Val
	}
	d := &headtrain.Dataset{Dim: s.Train.Dim, Classes: s.Train.Classes, X: make([]float32, 0, len(p.Val)*s.Train.Dim)}
	for _, r := range p.Val {
		d.X, d.Labels = append(d.X, s.Train.Row(int(r))...), append(d.Labels, s.Train.Labels[r])
	}
	return d
}

// search is a search under way.
type search struct {
	Search
	judges []*headtrain.Dataset // by part
	logits [][]float32          // by candidate, part by part; nil once a head has diverged

	outcome *Outcome
	least   float64 // loss so far
}

// walk trains the candidates along a path. It begins with the larger decays of the usual
// path, so that a candidate's heads are the same alone and among others.
func (r *search) walk(ctx context.Context) error {
	p := headtrain.Path{Train: r.Train, Options: r.Heads[0], Parts: r.Parts, Tolerance: tolerance, Iterations: pathIterations}
	for _, d := range decays {
		if d > r.Heads[0].WeightDecay {
			p.Decays = append(p.Decays, d)
		}
	}
	before := len(p.Decays)
	for _, o := range r.Heads {
		p.Decays = append(p.Decays, o.WeightDecay)
	}
	worse, most := 0, 1
	if len(r.outcome.Labels) < manyRows {
		most = 2
	}
	p.Enough = func(decay int) bool {
		if decay < before {
			return false
		}
		if worse++; r.add(decay-before) <= clearlyWorse*r.least {
			worse = 0
		}
		return worse == most
	}
	return p.Walk(ctx, func(part, decay int, h *headtrain.Head) error {
		if decay < before {
			return nil
		}
		return r.judge(ctx, part, decay-before, h)
	})
}

// each trains the candidates of all parts, as one job.
func (r *search) each(ctx context.Context) error {
	job := headtrain.Job{Train: r.Train, Val: r.Val}
	for _, p := range r.Parts {
		for _, o := range r.Heads {
			job.Heads, job.Parts = append(job.Heads, o), append(job.Parts, p)
		}
	}
	results, err := r.Trainer.Fit(ctx, job)
	if err != nil && !errors.Is(err, headtrain.ErrDiverged) {
		return err
	}
	failed := map[int]bool{}
	for i, result := range results {
		candidate := i % len(r.Heads)
		if result.Head == nil {
			failed[candidate] = true
			continue
		}
		if err := r.judge(ctx, i/len(r.Heads), candidate, result.Head); err != nil {
			return err
		}
	}
	for candidate := range failed {
		r.logits[candidate] = nil
	}
	if len(failed) == len(r.Heads) {
		return err
	}
	for candidate := range r.Heads {
		r.add(candidate)
	}
	return nil
}

// judge scores the rows that judge a part by a candidate's head of that part.
func (r *search) judge(ctx context.Context, part, candidate int, h *headtrain.Head) error {
	logits, err := logitsOf(ctx, h, r.judges[part])
	r.logits[candidate] = append(r.logits[candidate], logits...)
	if r.Done != nil {
		r.Done()
	}
	return err
}

// add adds a candidate, the next one, that all parts have judged. It returns its loss.
func (r *search) add(candidate int) float64 {
	o, logits := r.outcome, r.logits[candidate]
	p := Point{Options: r.Heads[candidate], Loss: math.Inf(1)}
	if logits != nil {
		p.Loss, p.Accuracy = leastLoss(logits, o.Labels), accuracy(logits, o.Labels)
	}
	o.Points = append(o.Points, p)
	if p.Loss < r.least {
		r.least, o.Best = p.Loss, candidate
	}
	return p.Loss
}

// logitsOf computes the logits of h for the rows of d, on all processors.
func logitsOf(ctx context.Context, h *headtrain.Head, d *headtrain.Dataset) ([]float32, error) {
	const share = 256
	k := len(h.Classes)
	logits := make([]float32, d.Rows()*k)
	err := parallel.Shares(ctx, d.Rows(), share, func(_ context.Context, lo, hi int) error {
		h.Logits(logits[lo*k:hi*k], d.X[lo*d.Dim:hi*d.Dim], hi-lo)
		return nil
	})
	return logits, err
}
