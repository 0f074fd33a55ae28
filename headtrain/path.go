package headtrain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/parallel"
)

// Path is linear heads that differ in their weight decay alone, trained by L-BFGS one
// after the other, on all parts side by side. Each begins where the two before it point
// to, which costs a few passes over the rows instead of dozens. It is for choosing a weight
// decay; the head to keep is then trained by a Trainer, from weights of 0 to the optimum.
//
// A head's bits depend on the rows of its part, the options, the decays up to its own, the
// tolerance and the iterations, and neither on threads nor on time.
type Path struct {
	Train   *Dataset
	Val     *Dataset  // validates heads of a part without Val, in Fit; nil for none
	Options Options   // of every head; Optimizer, WeightDecay and Epochs are the path's own
	Decays  []float64 // from the largest to the smallest
	Parts   []Part    // each is a path of its own

	// Tolerance ends a head once the next step promises to take less than half this share
	// off its objective, or off what that has fallen from weights of 0, if this is less. An
	// objective of less than 1e-4 counts as 1e-4.
	Tolerance  float64
	Iterations int // the most that a head takes

	// OnEpoch, if set, is told by Fit of each iteration, one call at a time.
	OnEpoch func(part, decay int, e Epoch)
	// Enough is asked by Walk once the heads of a decay, given by its place, are handed over,
	// and ends the walk by true; nil goes on to the last.
	Enough func(decay int) bool
}

// Fit trains all heads and returns their results, by part and decay. Only the last epoch of
// a head is validated. A head that diverges ends the path of its part: results from there
// on have no Head, and its Divergence is in the joined error. When ctx ends, Fit returns
// its error and the results of the parts that are whole; those of others are nil.
func (p Path) Fit(ctx context.Context) ([][]Result, error) {
	job, err := p.job(p.Val)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // of calls of OnEpoch
	results, errs := make([][]Result, len(p.Parts)), make([]error, len(p.Parts))
	c := newCrew(job.Heads[0].Threads, len(p.Parts), lbfgsRoom/lbfgsBytes(p.Train.Rows(), p.Train.Dim, len(p.Train.Classes), false))
	err = parallel.EachOn(ctx, c.most, len(p.Parts), func(ctx context.Context, part int) error {
		defer c.leave()
		w, err := p.begin(ctx, job, part, c)
		defer w.close()
		of := make([]Result, len(p.Decays))
		for i := 0; i < len(of) && err == nil; i++ {
			w.onEpoch = func(e Epoch) {
				if p.OnEpoch != nil {
					mu.Lock()
					defer mu.Unlock()
					p.OnEpoch(part, i, e)
				}
			}
			of[i], err = w.result(ctx, p.Decays[i])
		}
		if err != nil && !errors.Is(err, ErrDiverged) {
			return err
		}
		results[part], errs[part] = of, err
		return nil
	})
	return results, errors.Join(append(errs, err)...)
}

// Walk trains the heads, decay by decay and of these part by part, and hands over each
// one, on the goroutine of the caller: decay is its place in Decays. An error of each ends
// the walk and is returned. Other errors are as those of a Trainer; a divergence ends the
// walk too.
func (p Path) Walk(ctx context.Context, each func(part, decay int, h *Head) error) error {
	learn := make([]Part, len(p.Parts))
	for i := range learn {
		learn[i].Train = p.Parts[i].Train
	}
	p.Parts = learn // nothing is validated
	job, err := p.job(nil)
	if err != nil {
		return err
	}
	walkers, heads := make([]*walker, len(p.Parts)), make([]*Head, len(p.Parts))
	defer func() {
		for _, w := range walkers {
			w.close()
		}
	}()
	c := newCrew(job.Heads[0].Threads, len(p.Parts), len(p.Parts))
	err = c.each(ctx, len(p.Parts), func(part int) (err error) {
		walkers[part], err = p.begin(ctx, job, part, c)
		return err
	})
	if err != nil {
		return err
	}
	for decay := range p.Decays {
		err := c.each(ctx, len(p.Parts), func(part int) (err error) {
			w := walkers[part]
			if err = w.train(ctx, p.Decays[decay]); err == nil {
				heads[part], err = w.f.head(w.s, len(w.f.history))
			}
			return err
		})
		if err != nil {
			return err
		}
		for part, h := range heads {
			if err := each(part, decay, h); err != nil {
				return err
			}
		}
		if p.Enough != nil && p.Enough(decay) {
			break
		}
	}
	return nil
}

// job returns the path as the job of a head a part, or what is wrong with it.
func (p Path) job(val *Dataset) (Job, error) {
	o := p.Options.WithDefaults()
	o.Optimizer, o.Epochs, o.EarlyStopping = OptimizerLBFGS, p.Iterations, EarlyStopping{}
	j := Job{Train: p.Train, Val: val, Parts: p.Parts}
	for range p.Parts {
		j.Heads = append(j.Heads, o)
	}
	var f faults
	falling := true
	for i, d := range p.Decays {
		falling = falling && Ranges()["WeightDecay"].Holds(d) && (i == 0 || d < p.Decays[i-1])
	}
	f.check(falling && len(p.Decays) > 0, "WeightDecay", "(%v) must be values that fall", p.Decays)
	f.check(p.Iterations != 0, "Epochs", "(0) must be ≥ 1")
	f.check(p.Tolerance >= 0, "Tolerance", "(%v) must be ≥ 0", p.Tolerance)
	return j, cmp.Or(f.err(), j.Validate(), checkFused(o))
}

// walker is the path of one part.
type walker struct {
	s *stack
	m *lbfgs
	f *fit

	iterations int // the most of a head
	onEpoch    func(Epoch)

	before, last arrival // the last two heads; of x nil before there are any
}

// arrival is where a path came to for a decay.
type arrival struct {
	x     []float64 // the weights
	decay float64
}

func (w *walker) close() {
	if w != nil {
		w.s.team.Close()
	}
}

// begin begins the path of a part at weights of 0. The walker is there whatever the error.
func (p Path) begin(ctx context.Context, job Job, part int, c *crew) (*walker, error) {
	o := job.Heads[part]
	o.Threads = c.threads
	o.WeightDecay = p.Decays[0] / 100 // by which raw features are scaled: the middle of a usual path
	s := newStack(kernel.Best(), job.viewOn(c.now(), p.Parts[part], o.Input), []Options{o}, []int{0})
	s.crew = c
	m := newLBFGS(s)
	m.dot, m.share = dotByFours, p.Tolerance
	m.pre = newPreconditioner(ctx, s, m.penalty)
	var err error
	m.loss, err = m.at(ctx, m.x, m.g)
	m.start = m.loss
	return &walker{s: s, m: m, f: s.heads[0], iterations: p.Iterations, onEpoch: func(Epoch) {}}, err
}

// result goes on to the head of a decay and judges it.
func (w *walker) result(ctx context.Context, decay float64) (Result, error) {
	if err := w.train(ctx, decay); err != nil {
		return Result{}, err
	}
	s, f := w.s, w.f
	head, err := f.head(s, len(f.history))
	if err != nil {
		return Result{}, err
	}
	n := len(f.history)
	r := Result{Head: head, BestEpoch: n, Stopped: f.stopped, Gradient: largest(w.m.g), TrainLoss: f.sum.loss / f.weight, EpochSeconds: medianSeconds(f.history)}
	if !f.objective.plain() {
		if err := s.evaluate(ctx, s.train, 0); err != nil {
			return Result{}, err
		}
		r.TrainLoss = f.sum.loss / float64(f.sum.rows)
	}
	if s.val != nil {
		if err := s.evaluate(ctx, s.val, 0); err != nil {
			return Result{}, err
		}
		if f.validated(); f.err != nil {
			return Result{}, f.err
		}
	}
	r.History = slices.Clone(f.history)
	if s.val != nil {
		own := f.measured[n-1] // the next head has the same place
		own.into(&r.History[n-1])
	}
	w.onEpoch(r.History[n-1])
	return r, nil
}

// train goes on to the head of a decay.
func (w *walker) train(ctx context.Context, decay float64) error {
	m, f := w.m, w.f
	if err := w.lead(ctx, decay); err != nil {
		return err
	}
	f.history, f.stopped = f.history[:0], ""
	for f.stopped == "" {
		start := time.Now()
		stopped, err := m.iterate(ctx)
		if err != nil {
			return err
		}
		f.sum, f.weight = m.sum, m.weight
		if f.trained(len(f.history) + 1); f.err != nil {
			return fmt.Errorf("weight decay %g: %w", decay, f.err)
		}
		e := &f.history[len(f.history)-1]
		e.Seconds = time.Since(start).Seconds()
		if f.stopped = stopped; stopped == "" && len(f.history) == w.iterations {
			f.stopped = StoppedEpochs
		}
		if f.stopped == "" {
			w.onEpoch(*e)
		}
	}
	w.before, w.last = w.last, arrival{append(w.before.x[:0], m.x...), decay}
	return nil
}

// lead makes the objective that of a decay, and goes on along the line through the last two
// heads, by the logarithm of the decay: where rows can be separated, weights grow as that
// does in the end. Where this is no better, it stays at the last head.
func (w *walker) lead(ctx context.Context, decay float64) error {
	m := w.m
	m.setDecay(decay)
	if w.before.x == nil || decay == 0 {
		return nil
	}
	t := log(decay/w.last.decay) / log(w.last.decay/w.before.decay)
	x, g := m.vector(), m.vector()
	for i, v := range w.last.x {
		x[i] = v + float64(t*(v-w.before.x[i]))
	}
	sum, weight := m.sum, m.weight
	loss, err := m.at(ctx, x, g)
	if err != nil {
		return err
	}
	if loss < m.loss {
		m.move(x, g, loss)
		return nil
	}
	m.spare = append(m.spare, x, g)
	m.sum, m.weight = sum, weight
	m.place(m.x)
	return nil
}

// setDecay makes the objective that of another weight decay. It takes no pass over the
// rows: the loss, the gradient and the remembered changes of the gradient differ by
// what the weights alone add to them.
func (m *lbfgs) setDecay(decay float64) {
	s, by := m.s, decay-m.f.options.WeightDecay
	m.f.options.WeightDecay = decay
	if m.pre != nil {
		m.pre.setDecay(decay)
	}
	for c := range s.classes {
		lo, hi := c*s.stride, c*s.stride+s.dim
		x, g := m.x[lo:hi], m.g[lo:hi]
		for j, v := range x {
			w := float64(by * m.penalty[j])
			m.loss += float64(w / 2 * float64(v*v))
			g[j] += float64(w * v)
		}
		for _, p := range m.steps {
			y := p.y[lo:hi]
			for j, v := range p.s[lo:hi] {
				y[j] += float64(float64(by*m.penalty[j]) * v)
			}
		}
	}
	kept := m.steps[:0]
	for _, p := range m.steps {
		if sy := m.dot(p.s, p.y); sy > 1e-12*m.dot(p.y, p.y) {
			p.rho = 1 / sy
			kept = append(kept, p)
		}
	}
	m.steps = kept
}
