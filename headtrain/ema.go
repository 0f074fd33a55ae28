package headtrain

import "icebox/headtrain/internal/kernel"

// average is the exponential moving average of a head's weights over its steps,
// as PyTorch's AveragedModel with get_ema_multi_avg_fn computes it: after the first
// step it equals the weights, and each later step moves it 1-decay of the way to
// them. A nil average is none, and its methods do nothing. Several goroutines may
// call update for disjoint ranges between two calls of begin.
type average struct {
	isa     kernel.ISA
	weights []float32 // laid out as the head's params; 0 before the first step
	decay   float64
	share   float32 // of the way that the current step moves it
}

func newAverage(o Options, isa kernel.ISA, params int) *average {
	if o.EMA == 0 {
		return nil
	}
	return &average{isa: isa, weights: make([]float32, params), decay: o.EMA}
}

// begin prepares for a step, counted from 0.
func (a *average) begin(step int) {
	if a == nil {
		return
	}
	a.share = 1
	if step > 0 {
		a.share = float32(1 - a.decay)
	}
}

// update moves the average towards w, the parameters from number at on, which a
// step has just changed.
func (a *average) update(w []float32, at int) {
	if a != nil {
		a.isa.Lerp(a.weights[at:at+len(w)], w, a.share)
	}
}

// exchange swaps the average and the weights.
func (a *average) exchange(params []float32) {
	if a == nil {
		return
	}
	for i, v := range a.weights {
		a.weights[i], params[i] = params[i], v
	}
}
