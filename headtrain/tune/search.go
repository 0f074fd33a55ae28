package tune

import (
	"cmp"
	"context"
	"errors"
	"math"

	"icebox/headtrain"
)

// How far a head of a path is trained that is only to be compared with others. A third and
// three times the tolerance choose as well on the sets that BENCHMARKS.md has.
const (
	tolerance      = 0.003
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

	Logits *headtrain.Logits // of the best point's heads
	Labels []int32           // of the rows that judged, part by part
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
	r := &search{Search: s, heads: make([][]*headtrain.Head, len(s.Heads)), outcome: &Outcome{}, least: math.Inf(1)}
	r.gather()
	train := r.each
	if s.alongPath() {
		train = r.walk
	}
	if err := train(ctx); err != nil {
		return nil, err
	}
	return r.outcome, nil
}

// alongPath reports whether the candidates are a path of weight decays.
func (s Search) alongPath() bool { return s.Heads[0].Optimizer == headtrain.OptimizerLBFGS }

// search is a search under way.
type search struct {
	Search
	judges *headtrain.Dataset  // the rows that judge, part by part
	of     []int               // the part of each of them
	heads  [][]*headtrain.Head // by candidate and part; nil where one has diverged, and once it is judged

	outcome *Outcome
	least   float64 // loss so far
}

// gather gathers the rows that judge.
func (r *search) gather() {
	if len(r.Parts) == 1 && r.Parts[0].Val == nil {
		r.judges = r.Val
	} else {
		r.judges = r.judgesOfParts()
	}
	r.outcome.Labels = r.judges.Labels
}

func (r *search) judgesOfParts() *headtrain.Dataset {
	total := 0
	for _, p := range r.Parts {
		if total += len(p.Val); p.Val == nil {
			total += r.Val.Rows()
		}
	}
	d := &headtrain.Dataset{Dim: r.Train.Dim, Classes: r.Train.Classes, X: make([]float32, 0, total*r.Train.Dim)}
	for n, p := range r.Parts {
		if p.Val == nil {
			d.X, d.Labels = append(d.X, r.Val.X...), append(d.Labels, r.Val.Labels...)
		}
		for _, row := range p.Val {
			d.X, d.Labels = append(d.X, r.Train.Row(int(row))...), append(d.Labels, r.Train.Labels[row])
		}
		for len(r.of) < len(d.Labels) {
			r.of = append(r.of, n)
		}
	}
	return d
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
	var failed error
	p.Enough = func(decay int) bool {
		if decay < before {
			return false
		}
		var loss float64
		if loss, failed = r.add(ctx, decay-before); failed != nil {
			return true
		}
		if worse++; loss <= clearlyWorse*r.least {
			worse = 0
		}
		return worse == most
	}
	err := p.Walk(ctx, func(_, decay int, h *headtrain.Head) error {
		if decay >= before {
			r.trained(decay-before, h)
		}
		return nil
	})
	return cmp.Or(err, failed)
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
		r.trained(candidate, result.Head)
	}
	for candidate := range failed {
		r.heads[candidate] = nil
	}
	if len(failed) == len(r.Heads) {
		return err
	}
	for candidate := range r.Heads {
		if _, err := r.add(ctx, candidate); err != nil {
			return err
		}
	}
	return nil
}

// trained takes a candidate's head of the next part.
func (r *search) trained(candidate int, h *headtrain.Head) {
	r.heads[candidate] = append(r.heads[candidate], h)
	if r.Done != nil {
		r.Done()
	}
}

// add judges a candidate, the next one, by its heads of all parts. It returns its loss.
func (r *search) add(ctx context.Context, candidate int) (loss float64, err error) {
	o, p := r.outcome, Point{Options: r.Heads[candidate], Loss: math.Inf(1)}
	if heads := r.heads[candidate]; heads != nil {
		logits := headtrain.FoldedLogits(heads, r.of, r.judges)
		if p.Loss, err = leastLoss(ctx, logits, o.Labels); err != nil {
			return 0, err
		}
		if p.Accuracy, err = accuracy(ctx, logits, o.Labels); err != nil {
			return 0, err
		}
		r.heads[candidate] = nil
		if p.Loss < r.least || o.Logits == nil {
			o.Logits = logits
		}
	}
	o.Points = append(o.Points, p)
	if p.Loss < r.least {
		r.least, o.Best = p.Loss, candidate
	}
	return p.Loss, nil
}
