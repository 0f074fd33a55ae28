package headtrain

import "icebox/headtrain/internal/kernel"

// average is the exponential moving average of a head's weights over its steps,
// torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn: after the first
// step it is the weights, and each later step moves it 1-decay of the way to
// them. nil is none; several goroutines may call update for disjoint ranges
// between two calls of begin.
type average struct {
	isa     kernel.ISA
	weights []float32 // laid out as the head's params; 0 before the first step
	decay   float64
	share   float32 // of the way, in the step at hand
}

func newAverage(o Options, isa kernel.ISA, params int) *average {
	if o.EMA == 0 {
		return nil
	}
	return &average{isa: isa, weights: make([]float32, params), decay: o.EMA}
}

// begin prepares for the step numbered so, from 0.
func (a *average) begin(step int) {
	if a == nil {
		return
	}
	a.share = 1
	if step > 0 {
		a.share = float32(1 - a.decay)
	}
}

// update takes in w, which a step has just changed and which starts at parameter
// `at`.
func (a *average) update(w []float32, at int) {
	if a != nil {
		a.isa.Lerp(a.weights[at:at+len(w)], w, a.share)
	}
}

// exchange puts the average in the place of the weights, and the other way round.
func (a *average) exchange(params []float32) {
	if a == nil {
		return
	}
	for i, v := range a.weights {
		a.weights[i], params[i] = params[i], v
	}
}
