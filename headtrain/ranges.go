package headtrain

import (
	"fmt"
	"math"
)

// Range is the values that a number may have: finite ones from Low to High.
type Range struct {
	Low, High         float64 // High is +Inf where nothing limits it
	OpenLow, OpenHigh bool    // the end itself is not in the range
}

// From is the range of low and all above it.
func From(low float64) Range { return Range{Low: low, High: math.Inf(1)} }

// Above is the range of all above low.
func Above(low float64) Range { return Range{Low: low, High: math.Inf(1), OpenLow: true} }

// To is r up to high.
func (r Range) To(high float64) Range {
	r.High = high
	return r
}

// Below is r up to high, without high itself.
func (r Range) Below(high float64) Range {
	r.High, r.OpenHigh = high, true
	return r
}

// Holds reports whether v is in the range.
func (r Range) Holds(v float64) bool {
	return v >= r.Low && v <= r.High && !math.IsInf(v, 0) && !(r.OpenLow && v == r.Low) && !(r.OpenHigh && v == r.High)
}

// String writes the range as it stands after "must be": "> 0", "from 1 to 1024".
func (r Range) String() string {
	lower := fmt.Sprintf("≥ %v", r.Low)
	if r.OpenLow {
		lower = fmt.Sprintf("> %v", r.Low)
	}
	switch {
	case math.IsInf(r.High, 1):
		return lower
	case r.OpenHigh:
		return fmt.Sprintf("%s and < %v", lower, r.High)
	case r.OpenLow:
		return fmt.Sprintf("%s and ≤ %v", lower, r.High)
	case r.High == math.Trunc(r.High):
		return fmt.Sprintf("from %v to %.0f", r.Low, r.High)
	}
	return fmt.Sprintf("from %v to %v", r.Low, r.High)
}

// Ranges returns the ranges of the numbers in Options, by field, with the defaults in
// place of zeros. Where a range begins at 0, 0 has the meaning that the field's comment
// gives it.
func Ranges() map[string]Range {
	share := From(0).Below(1)
	return map[string]Range{
		"Hidden": From(0).To(maxHidden), "Dropout": share,
		"Epochs": From(1).To(maxEpochs), "BatchSize": From(1), "Threads": From(0).To(maxThreads), "Seed": From(0),
		"LR": Above(0), "WeightDecay": From(0), "Momentum": share, "Beta1": Above(0).Below(1), "Beta2": Above(0).Below(1), "Eps": Above(0), "EMA": share,
		"Warmup": From(0), "StepEpochs": From(0), "StepFactor": Above(0).To(1),
		"LabelSmoothing": share, "Mixup": From(0).To(maxMixup), "ClassWeights.Map": From(0),
		"EarlyStopping.Patience": From(0), "EarlyStopping.MinDelta": From(0),
	}
}

// Choices returns the words that a text in Options may be, by field.
func Choices() map[string][]string {
	return map[string][]string{
		"Kind": {KindLinear, KindMLP}, "Input": {InputStandardise, InputNone, InputL2},
		"Shuffle": {string(ShuffleRows), string(ShuffleBlocks)}, "Optimizer": {OptimizerAdam, OptimizerAdamW, OptimizerSGD, OptimizerLBFGS},
		"Schedule": {ScheduleConstant, ScheduleCosine, ScheduleStep, ScheduleOneCycle}, "ClassWeights.Mode": {WeightsNone, WeightsBalanced, WeightsMap},
		"EarlyStopping.Metric": {MetricValLoss, MetricValAcc, MetricValMacroF1, MetricValBalancedAcc},
	}
}
