package tune

import (
	"slices"

	"icebox/headtrain"
)

// Fields of headtrain.Options that tuning chooses, unless the caller pins them.
const (
	LR          = "LR"
	WeightDecay = "WeightDecay"
	Epochs      = "Epochs"
	Optimizer   = "Optimizer"
	Schedule    = "Schedule"
)

// Fields returns the fields that tuning chooses.
func Fields() []string { return []string{LR, WeightDecay, Epochs, Optimizer, Schedule} }

// iterations is the most that L-BFGS takes for a head that is kept. It stops by itself
// far sooner.
const iterations = 1000

// decays are those that are tried, from the largest to the smallest.
var decays = []float64{3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001}

// Candidates returns the heads worth trying on some number of training rows, where the
// pinned fields are as o has them; none where nothing is left to choose.
//
// Usually these are L-BFGS heads along a path of weight decays, from the largest to the
// smallest. L-BFGS has no learning rate, schedule, EMA, mixup, momentum or warm-up, and
// cannot stop early. Where one of these is asked for, or epochs are and L-BFGS is not,
// the candidates are heads of o's optimizer, in a grid of learning rates and weight
// decays, with the cosine schedule and as many epochs as make some 600 steps.
func Candidates(o headtrain.Options, pinned []string, rows int) []headtrain.Options {
	steps := o.StepEpochs
	o = o.WithDefaults()
	o.StepEpochs = steps // if 0, a third of the epochs that are chosen
	is := func(field string) bool { return slices.Contains(pinned, field) }
	all := !slices.ContainsFunc(Fields(), func(field string) bool { return !is(field) })
	if all || o.Kind != headtrain.KindLinear {
		return nil
	}
	lbfgs := is(Optimizer) && o.Optimizer == headtrain.OptimizerLBFGS
	stepwise := o.EMA > 0 || o.Mixup > 0 || o.Momentum > 0 || o.Warmup > 0 || o.EarlyStopping.Patience > 0
	if lbfgs || !is(Optimizer) && !is(LR) && !is(Schedule) && !is(Epochs) && !stepwise {
		return alongDecays(o, is)
	}
	return grid(o, is, rows)
}

func alongDecays(o headtrain.Options, is func(field string) bool) []headtrain.Options {
	if is(WeightDecay) && o.Optimizer == headtrain.OptimizerLBFGS {
		return nil
	}
	o.Optimizer = headtrain.OptimizerLBFGS
	if !is(Epochs) {
		o.Epochs = iterations
	}
	tried := decays
	if is(WeightDecay) {
		tried = []float64{o.WeightDecay}
	}
	var heads []headtrain.Options
	for _, d := range tried {
		o.WeightDecay = d
		heads = append(heads, o)
	}
	return heads
}

// usualSteps is how many steps of the optimizer bring a head near its optimum, by
// experience.
const usualSteps = 600

func grid(o headtrain.Options, is func(field string) bool, rows int) []headtrain.Options {
	rates, weights := []float64{3e-4, 1e-3, 3e-3, 1e-2}, []float64{0, 1e-3, 1e-2}
	if o.Optimizer == headtrain.OptimizerSGD {
		rates = []float64{3e-3, 1e-2, 3e-2, 1e-1}
	}
	if is(LR) {
		rates = []float64{o.LR}
	}
	if is(WeightDecay) {
		weights = []float64{o.WeightDecay}
	}
	if !is(Epochs) {
		size := min(o.BatchSize, rows)
		perEpoch := (rows + size - 1) / size
		o.Epochs = max(10, (usualSteps+perEpoch-1)/perEpoch, o.Warmup+1)
	}
	if !is(Schedule) {
		o.Schedule = headtrain.ScheduleCosine
	}
	var heads []headtrain.Options
	for _, lr := range rates {
		for _, d := range weights {
			o.LR, o.WeightDecay = lr, d
			heads = append(heads, o)
		}
	}
	return heads
}
