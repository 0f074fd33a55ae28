package tune

import (
	"context"
	"errors"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/internal/parallel"
	"icebox/headtrain/internal/softmax"
)

// How far a head of a path is trained that is only to be compared with others. Ten times
// the precision takes three times as long and moves the choice by no more than chance
// does.
const (
	tolerance      = 5e-3
	pathIterations = 50
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
	Loss     float64 // mean cross-entropy; +Inf if a head diverged
	Accuracy float64
}

// Outcome is what a search found.
type Outcome struct {
	Points []Point // in the order of Search.Heads
	Best   int     // the point of the least loss, the first one of equals

	// Logits of the best point's heads, rows × classes, and labels of the rows that
	// judged, part by part.
	Logits []float32
	Labels []int32
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
	r := &search{Search: s, heads: make([][]*headtrain.Head, len(s.Heads)), sums: make([]sum, len(s.Heads))}
	for _, p := range s.Parts {
		r.judges = append(r.judges, s.judgeOf(p))
	}
	train := r.each
	if s.alongPath() {
		train = r.walk
	}
	if err := train(ctx); err != nil {
		return nil, err
	}
	return r.outcome(ctx)
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
	heads  [][]*headtrain.Head  // by candidate and part
	sums   []sum                // by candidate
}

// sum is over the rows that have judged a candidate.
type sum struct {
	loss       float64
	rows, hits int
}

func (r *search) walk(ctx context.Context) error {
	p := headtrain.Path{Train: r.Train, Options: r.Heads[0], Parts: r.Parts, Tolerance: tolerance, Iterations: pathIterations}
	for _, o := range r.Heads {
		p.Decays = append(p.Decays, o.WeightDecay)
	}
	return p.Walk(ctx, func(part, decay int, h *headtrain.Head) error { return r.judge(ctx, part, decay, h) })
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
	diverged := 0
	for i, result := range results {
		if result.Head == nil {
			r.sums[i%len(r.Heads)].loss = math.Inf(1)
			diverged++
			continue
		}
		if err := r.judge(ctx, i/len(r.Heads), i%len(r.Heads), result.Head); err != nil {
			return err
		}
	}
	if diverged == len(results) {
		return err
	}
	return nil
}

// judge adds to the sums of a candidate how its head of a part does.
func (r *search) judge(ctx context.Context, part, candidate int, h *headtrain.Head) error {
	d, k := r.judges[part], len(h.Classes)
	logits, err := logitsOf(ctx, h, d)
	if err != nil {
		return err
	}
	s := &r.sums[candidate]
	for i, y := range d.Labels {
		z := logits[i*k : (i+1)*k]
		best, norm := softmax.Top(z, 1)
		s.loss += math.Log(norm) + float64(z[best]) - float64(z[y])
		s.rows++
		if best == int(y) {
			s.hits++
		}
	}
	r.heads[candidate] = append(r.heads[candidate], h)
	if r.Done != nil {
		r.Done()
	}
	return nil
}

// outcome chooses, and computes the logits of the choice once more: to keep those of all
// candidates would take more memory than the rows.
func (r *search) outcome(ctx context.Context) (*Outcome, error) {
	o := &Outcome{}
	for i, s := range r.sums {
		p := Point{r.Heads[i], s.loss / float64(s.rows), float64(s.hits) / float64(s.rows)}
		if s.rows == 0 {
			p.Loss, p.Accuracy = math.Inf(1), 0
		}
		o.Points = append(o.Points, p)
		if p.Loss < o.Points[o.Best].Loss {
			o.Best = i
		}
	}
	for part, h := range r.heads[o.Best] {
		logits, err := logitsOf(ctx, h, r.judges[part])
		if err != nil {
			return nil, err
		}
		o.Logits, o.Labels = append(o.Logits, logits...), append(o.Labels, r.judges[part].Labels...)
	}
	return o, nil
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
