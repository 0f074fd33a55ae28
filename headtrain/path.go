package headtrain

import (
	"context"
	"fmt"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/team"
)

// Path is linear heads that differ in their weight decay alone, trained by L-BFGS one
// after the other. Each begins where the one before it came to, which costs a few
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
}

// Walk trains the heads, part by part, and hands over each one: decay is its place in
// Decays. A head's bits depend on the
// rows of its part, the options, the decays up to its own, the tolerance and the
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
	t := team.New(threads(o.Threads))
	defer t.Close()
	for i, part := range p.Parts {
		v := job.view(part, o.Input, t)
		v.val = nil
		if err := p.walk(ctx, v, o, func(decay int, h *Head) error { return each(i, decay, h) }); err != nil {
			return err
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

// walk trains the heads of one part.
func (p Path) walk(ctx context.Context, v *view, o Options, each func(decay int, h *Head) error) error {
	o.WeightDecay = p.Decays[0] / 100 // by which raw features are scaled: the middle of a usual path
	s := newStack(kernel.Best(), v, []Options{o}, []int{0})
	defer s.team.Close()
	m, f := newLBFGS(s), s.heads[0]
	var err error
	if m.loss, err = m.at(ctx, m.x, m.g); err != nil {
		return err
	}
	tolerance := float64(p.Tolerance * largest(m.g))
	for i, decay := range p.Decays {
		m.setDecay(decay)
		f.history = f.history[:0]
		for stopped := ""; stopped == "" && largest(m.g) > tolerance && len(f.history) < p.Iterations; {
			if stopped, err = m.iterate(ctx); err != nil {
				return err
			}
			if f.trained(len(f.history) + 1); f.err != nil {
				return fmt.Errorf("weight decay %g: %w", decay, f.err)
			}
		}
		h, err := f.head(s, len(f.history))
		if err != nil {
			return err
		}
		if err := each(i, h); err != nil {
			return err
		}
	}
	return nil
}

// setDecay makes the objective that of another weight decay. It takes no pass over the
// rows: the loss, the gradient and the remembered changes of the gradient differ by
// what the weights alone add to them.
func (m *lbfgs) setDecay(decay float64) {
	s, by := m.s, decay-m.f.options.WeightDecay
	m.f.options.WeightDecay = decay
	for c := range s.classes {
		for j := c * s.stride; j < c*s.stride+s.dim; j++ {
			w := float64(by * m.penalty[j-c*s.stride])
			m.loss += float64(w / 2 * float64(m.x[j]*m.x[j]))
			m.g[j] += float64(w * m.x[j])
			for _, p := range m.steps {
				p.y[j] += float64(w * p.s[j])
			}
		}
	}
	kept := m.steps[:0]
	for _, p := range m.steps {
		if sy := dot(p.s, p.y); sy > 1e-12*dot(p.y, p.y) {
			p.rho = 1 / sy
			kept = append(kept, p)
		}
	}
	m.steps = kept
}
