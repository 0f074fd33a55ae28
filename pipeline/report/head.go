package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"icebox/headtrain"
	"icebox/pipeline/words"
)

// describeHead says in a line what a head is and what every training has.
func describeHead(o headtrain.Options, engine string) string {
	o = o.WithDefaults()
	input := map[string]string{headtrain.InputStandardise: "standardised", headtrain.InputNone: "raw", headtrain.InputL2: "unit-length"}[o.Input]
	kind := headtrain.KindLinear
	if o.Kind == headtrain.KindMLP {
		kind = fmt.Sprintf("mlp of %d hidden units, dropout %g,", o.Hidden, o.Dropout)
	}
	steps := fmt.Sprintf("%s, lr %g, weight decay %g, batch %d, seed %d", o.Optimizer, o.LR, o.WeightDecay, o.BatchSize, o.Seed)
	if o.Optimizer == headtrain.OptimizerLBFGS { // the others have no influence
		steps = fmt.Sprintf("%s, weight decay %g", o.Optimizer, o.WeightDecay)
	}
	if engine != "" && engine != headtrain.EngineFused {
		steps += ", engine " + engine
	}
	return fmt.Sprintf("%s on %s features, %s", kind, input, steps)
}

// describeShaping says what shaped the training that is not so by default; "" is
// nothing.
func describeShaping(o headtrain.Options) string {
	o = o.WithDefaults()
	usual := headtrain.Options{Epochs: o.Epochs}.WithDefaults()
	var parts []string
	add := func(is bool, format string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	momentum := "momentum"
	if o.Nesterov {
		momentum = "Nesterov momentum"
	}
	add(o.Momentum != 0, "%s %g", momentum, o.Momentum)
	adam := o.Optimizer == headtrain.OptimizerAdam || o.Optimizer == headtrain.OptimizerAdamW
	add(adam && (o.Beta1 != usual.Beta1 || o.Beta2 != usual.Beta2), "betas %g and %g", o.Beta1, o.Beta2)
	add(adam && o.Eps != usual.Eps, "eps %g", o.Eps)
	if o.Optimizer != headtrain.OptimizerLBFGS {
		step := o.Schedule == headtrain.ScheduleStep
		add(step, "schedule %s (× %g every %s)", o.Schedule, o.StepFactor, words.Count(o.StepEpochs, "epoch"))
		add(!step && o.Schedule != usual.Schedule, "schedule %s", o.Schedule)
		add(o.Warmup > 0, "warm-up over %s", words.Count(o.Warmup, "epoch"))
	}
	add(o.Shuffle != usual.Shuffle && o.Optimizer != headtrain.OptimizerLBFGS, "rows shuffled by %s", o.Shuffle)
	add(o.Mixup > 0, "mixup %g", o.Mixup)
	add(o.LabelSmoothing > 0, "label smoothing %g", o.LabelSmoothing)
	add(o.ClassWeights.Mode != usual.ClassWeights.Mode, "class weights %s", describeWeights(o.ClassWeights))
	add(o.EMA > 0, "moving average of the weights (ema) %g", o.EMA)
	if e := o.EarlyStopping; e.Patience > 0 {
		least := ""
		if e.MinDelta > 0 {
			least = fmt.Sprintf(" by more than %g", e.MinDelta)
		}
		add(true, "early stopping after %s without a better %s%s", words.Count(e.Patience, "epoch"), e.Metric, least)
	}
	return strings.Join(parts, ", ")
}

// weightsShown is how many class weights a report for people lists.
const weightsShown = 6

func describeWeights(w headtrain.ClassWeights) string {
	if len(w.Map) == 0 {
		return w.Mode
	}
	var all []string
	for _, class := range slices.Sorted(maps.Keys(w.Map)) {
		all = append(all, fmt.Sprintf("%s %g", class, w.Map[class]))
	}
	if more := len(all) - weightsShown; more > 0 {
		all = append(all[:weightsShown], fmt.Sprintf("… and %d more", more))
	}
	return "(" + strings.Join(all, ", ") + ")"
}
