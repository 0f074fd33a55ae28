package headtrain

import (
	"cmp"
	"context"
	"fmt"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/parallel"
)

// Path is linear heads that differ in their weight decay alone, trained by L-BFGS one
// after the other, on all parts side by side. Each begins where the one before it came to, which costs a few
// passes over the rows instead of dozens. It is for choosing a weight decay; the head
// to keep is then trained by a Trainer, from weights of 0 to the optimum.
type Path struct {
	Train   *Dataset
	Options Options   // of every head; Optimizer, WeightDecay and Epochs are the path's own
	Decays  []float64 // from the largest to the smallest
	Parts   []Part    // each is a path of its own; Val has no influence

	// Tolerance is the largest value that the gradient of a head may have for the next
	// one to begin, as a share of what it is with weights of 0.
	Tolerance  float64
	Iterations int // the most that a head takes

	// Enough is asked once the heads of a decay, given by its place, are handed over, and
	// ends the walk by true; nil goes on to the last.
	Enough func(decay int) bool
}

// Walk trains the heads, decay by decay and of these part by part, and hands over each
// one, on the goroutine of the caller: decay is its place in Decays. A head's bits depend
// on the rows of its part, the options, the decays up to its own, the tolerance and the
// iterations, and neither on threads nor on time. An error of each ends the walk and is
// returned. Other errors are as those of a Trainer; a divergence ends the walk too.
func (p Path) Walk(ctx context.Context, each func(part, decay int, h *Head) error) error {
	o := p.Options.WithDefaults()
	o.Optimizer, o.Epochs, o.EarlyStopping = OptimizerLBFGS, p.Iterations, EarlyStopping{}
	job := Job{Train: p.Train, Parts: p.Parts}
	for range p.Parts {
		job.Heads = append(job.Heads, o)
	}
	if err := p.validate(job); err != nil {
		return err
	}
	walkers := make([]*walker, len(p.Parts))
	defer func() {
		for _, w := range walkers {
			w.close()
		}
	}()
	all := threads(o.Threads)
	o.Threads = max(1, all/len(p.Parts)) // of a part
	eachPart := func(do func(part int) error) error {
		errs := make([]error, len(p.Parts))
		err := parallel.EachOn(ctx, all, len(p.Parts), func(_ context.Context, part int) error {
			errs[part] = do(part)
			return nil
		})
		return cmp.Or(append(errs, err)...) // of several the same one at all times
	}
	err := eachPart(func(part int) (err error) {
		walkers[part], err = p.begin(ctx, job, part, o)
		return err
	})
	if err != nil {
		return err
	}
	heads := make([]*Head, len(p.Parts))
	for decay := range p.Decays {
		err := eachPart(func(part int) (err error) {
			heads[part], err = p.step(ctx, walkers[part], p.Decays[decay])
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

func (p Path) validate(job Job) error {
	var f faults
	falling := true
	for i, d := range p.Decays {
		falling = falling && Ranges()["WeightDecay"].Holds(d) && (i == 0 || d < p.Decays[i-1])
	}
	f.check(falling && len(p.Decays) > 0, "WeightDecay", "(%v) must be values that fall", p.Decays)
	f.check(p.Tolerance >= 0, "Tolerance", "(%v) must be ≥ 0", p.Tolerance)
	if err := f.err(); err != nil {
		return err
	}
	if err := job.Validate(); err != nil {
		return err
	}
	return checkFused(job.Heads[0])
}

// walker is the path of one part.
type walker struct {
	s         *stack
	m         *lbfgs
	tolerance float64
}

func (w *walker) close() {
	if w != nil {
		w.s.team.Close()
	}
}

// begin begins the path of a part at weights of 0. The walker is there whatever the error.
func (p Path) begin(ctx context.Context, job Job, part int, o Options) (*walker, error) {
	v := job.viewOn(o.Threads, p.Parts[part], o.Input)
	v.val = nil
	o.WeightDecay = p.Decays[0] / 100 // by which raw features are scaled: the middle of a usual path
	s := newStack(kernel.Best(), v, []Options{o}, []int{0})
	w := &walker{s: s, m: newLBFGS(s)}
	w.m.dot = dotByFours
	var err error
	w.m.loss, err = w.m.at(ctx, w.m.x, w.m.g)
	w.tolerance = float64(p.Tolerance * largest(w.m.g))
	return w, err
}

// step goes on to the head of a decay.
func (p Path) step(ctx context.Context, w *walker, decay float64) (*Head, error) {
	m, f := w.m, w.s.heads[0]
	m.setDecay(decay)
	f.history = f.history[:0]
	for stopped := ""; stopped == "" && largest(m.g) > w.tolerance && len(f.history) < p.Iterations; {
		var err error
		if stopped, err = m.iterate(ctx); err != nil {
			return nil, err
		}
		if f.trained(len(f.history) + 1); f.err != nil {
			return nil, fmt.Errorf("weight decay %g: %w", decay, f.err)
		}
	}
	return f.head(w.s, len(f.history))
}

// setDecay makes the objective that of another weight decay. It takes no pass over the
// rows: the loss, the gradient and the remembered changes of the gradient differ by
// what the weights alone add to them.
func (m *lbfgs) setDecay(decay float64) {
	s, by := m.s, decay-m.f.options.WeightDecay
	m.f.options.WeightDecay = decay
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
