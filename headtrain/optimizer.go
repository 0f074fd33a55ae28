package headtrain

import (
	"math"

	"icebox/headtrain/internal/kernel"
)

// optimizer turns gradients into steps. Several goroutines may call update for
// disjoint ranges between two calls of begin.
type optimizer interface {
	// begin sets the learning rate of the next step.
	begin(lr float64)
	// update steps w, the parameters from number at on, along the gradient g.
	update(w, g []float32, at int)
	// prefetch fetches into the cache what update of parameters at to end reads.
	prefetch(at, end int)
}

func newOptimizer(o Options, isa kernel.ISA, params int) optimizer {
	switch o.Optimizer {
	case OptimizerLBFGS:
		return nil // lbfgs takes its own steps
	case OptimizerSGD:
		return newSGD(o, isa, params)
	default:
		return newAdam(o, isa, params)
	}
}

// adam does what torch.optim.Adam does, or AdamW if decay is decoupled.
type adam struct {
	isa        kernel.ISA
	m, v       []float32
	step       kernel.AdamStep
	beta1      float64
	beta2      float64
	beta1Power float64 // β₁ᵗ
	beta2Power float64
	decoupled  float64 // weight decay of AdamW
}

func newAdam(o Options, isa kernel.ISA, params int) *adam {
	a := &adam{
		isa: isa, m: make([]float32, params), v: make([]float32, params),
		beta1: o.Beta1, beta2: o.Beta2, beta1Power: 1, beta2Power: 1,
		step: kernel.AdamStep{
			KeepM: float32(1 - o.Beta1), Beta2: float32(o.Beta2), KeepV: float32(1 - o.Beta2), Eps: float32(o.Eps),
		},
	}
	if o.Optimizer == OptimizerAdamW {
		a.decoupled = o.WeightDecay
	} else {
		a.step.L2 = float32(o.WeightDecay)
	}
	return a
}

func (a *adam) begin(lr float64) {
	a.beta1Power = float64(a.beta1Power * a.beta1)
	a.beta2Power = float64(a.beta2Power * a.beta2)
	a.step.Rate = float32(lr / (1 - a.beta1Power))
	a.step.InvRoot = float32(1 / math.Sqrt(1-a.beta2Power))
	a.step.Decay = float32(1 - float64(lr*a.decoupled))
}

func (a *adam) update(w, g []float32, at int) {
	end := at + len(w)
	a.isa.Adam(w, a.m[at:end], a.v[at:end], g, &a.step)
}

func (a *adam) prefetch(at, end int) {
	a.isa.Prefetch(a.m[at:end])
	a.isa.Prefetch(a.v[at:end])
}

// sgd does what torch.optim.SGD does with momentum and a dampening of 0.
type sgd struct {
	isa    kernel.ISA
	buffer []float32
	step   kernel.SGDStep
}

func newSGD(o Options, isa kernel.ISA, params int) *sgd {
	s := &sgd{isa: isa, buffer: make([]float32, params)}
	s.step = kernel.SGDStep{L2: float32(o.WeightDecay), Momentum: float32(o.Momentum), OfBuffer: 1}
	if o.Nesterov {
		s.step.OfGrad, s.step.OfBuffer = 1, float32(o.Momentum)
	}
	return s
}

func (s *sgd) begin(lr float64) { s.step.Rate = float32(lr) }

func (s *sgd) update(w, g []float32, at int) {
	s.isa.SGD(w, s.buffer[at:at+len(w)], g, &s.step)
}

func (s *sgd) prefetch(at, end int) { s.isa.Prefetch(s.buffer[at:end]) }
