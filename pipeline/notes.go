package pipeline

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

// noteTraining says what looks wrong with a training.
func noteTraining(t task, fit headtrain.Result, j *journal.Journal) {
	noteFewSteps(t, fit, j)
	noteNotConverged(t.options, fit, j)
	noteWorseThanGuessing(t, fit, j)
	noteSlowAverage(t, fit, j)
}

// enoughSteps is how many steps of the optimizer a small training set needs, by
// experience, before more change little.
const enoughSteps = 500

// noteFewSteps says so if training ended while it was still getting somewhere.
func noteFewSteps(t task, fit headtrain.Result, j *journal.Journal) {
	h := fit.History
	if len(h) < 2 || fit.Stopped != headtrain.StoppedEpochs || t.options.Optimizer == headtrain.OptimizerLBFGS {
		return
	}
	perEpoch := stepsPerEpoch(t.options, t.parts.train.Len())
	steps := perEpoch * len(h)
	last := h[len(h)-1]
	falling := last.TrainLoss < 0.99*h[len(h)-2].TrainLoss && last.TrainAcc < 1 // where all is right, it falls for ever
	if falling && steps < enoughSteps {
		j.Note(fmt.Sprintf("training took only %s and the loss was still falling", words.Count(steps, "step")), journal.SetTo("Head.Epochs", (enoughSteps+perEpoch-1)/perEpoch))
	}
}

// enoughIterations is how many lbfgs needs, by experience, but for heads with hardly
// any weight decay.
const enoughIterations = 1000

// noteNotConverged says so if lbfgs did not come to the optimum.
func noteNotConverged(o headtrain.Options, fit headtrain.Result, j *journal.Journal) {
	if o.Optimizer != headtrain.OptimizerLBFGS {
		return
	}
	switch n := len(fit.History); fit.Stopped {
	case headtrain.StoppedEpochs:
		j.Note(fmt.Sprintf("lbfgs has not converged in %s (its largest gradient is %.1g and must fall to %g)", words.Count(n, "iteration"), fit.Gradient, headtrain.LBFGSTolerance),
			journal.SetTo("Head.Epochs", max(enoughIterations, 4*n)))
	case headtrain.StoppedStalled:
		j.Note(fmt.Sprintf("lbfgs has not converged: after %s nothing better is left within the precision of float32 (its largest gradient is %.1g and must fall to %g)",
			words.Count(n, "iteration"), fit.Gradient, headtrain.LBFGSTolerance),
			journal.Step{Do: journal.Raise, Field: "Head.WeightDecay"}, journal.SetTo("Head.Input", headtrain.InputStandardise))
	}
}

// noteSlowAverage says so if the weights that training began with still count in
// their average, by 1/e⁵ or more.
func noteSlowAverage(t task, fit headtrain.Result, j *journal.Journal) {
	ema, perEpoch := t.options.EMA, stepsPerEpoch(t.options, t.parts.train.Len())
	steps := perEpoch * len(fit.History)
	if window := 1 / (1 - ema); ema > 0 && float64(steps) < 5*window {
		j.Note(fmt.Sprintf("the moving average of the weights (ema %v) takes in some %.0f steps, but training took only %d", ema, window, steps),
			journal.Step{Do: journal.Lower, Field: "Head.EMA"}, journal.SetTo("Head.Epochs", math.Ceil(5*window/float64(perEpoch))))
	}
}

// noteWorseThanGuessing says so if the head fits what it learned from worse than one
// that knows no more than how many rows each class has.
func noteWorseThanGuessing(t task, fit headtrain.Result, j *journal.Journal) {
	loss, guess := fit.TrainLoss, guessing(t.options, t.parts.train.Data)
	if loss <= guess {
		return
	}
	text := fmt.Sprintf("THE HEAD IS WORSE THAN GUESSING: its training loss is %.4g; the best one answer for every image, by how frequent each class is, has %.4g", loss, guess)
	if lr := t.options.LR; lr > 1 {
		j.Note(fmt.Sprintf("%s; the learning rate %v is too large", text, lr), journal.SetTo("Head.LR", 0.001), journal.Step{Do: journal.FindRate})
		return
	}
	j.Note(text, journal.Step{Do: journal.FindRate}, journal.Step{Do: journal.Raise, Field: "Head.Epochs"})
}

// guessing is the mean cross-entropy, over the training rows, of the best fixed answer:
// the same probabilities for every image.
func guessing(o headtrain.Options, d *headtrain.Dataset) float64 {
	k := len(d.Classes)
	share, weight := make([]float64, k), make([]float64, k)
	for _, l := range d.Labels {
		share[l] += 1 / float64(len(d.Labels))
	}
	sum := 0.0
	for c, name := range d.Classes {
		w, given := o.ClassWeights.Map[name]
		switch {
		case o.ClassWeights.Mode == headtrain.WeightsBalanced && share[c] > 0:
			weight[c] = 1
		case given:
			weight[c] = w * share[c]
		default:
			weight[c] = share[c]
		}
		sum += weight[c]
	}
	loss := 0.0
	for c, s := range share {
		if s > 0 {
			loss -= s * math.Log((1-o.LabelSmoothing)*weight[c]/sum+o.LabelSmoothing/float64(k))
		}
	}
	return loss
}

// noteBaselines says so if the head is no better than a baseline: loudly where the gap
// is clear, else calmly.
func noteBaselines(o headtrain.Options, b *report.Baselines, j *journal.Journal) {
	if b == nil {
		return
	}
	text, clearly := b.Verdict()
	if text == "" {
		return
	}
	if !clearly {
		j.Note(text)
		return
	}
	steps := []journal.Step{{Do: journal.Raise, Field: "Head.Epochs"}, {Do: journal.Change, Field: "Head.LR"}, {Do: journal.Raise, Field: "Head.WeightDecay"}}
	if o.Optimizer == headtrain.OptimizerLBFGS {
		steps = []journal.Step{{Do: journal.Change, Field: "Head.WeightDecay"}} // more epochs, if they are wanting, are noted
	}
	if strings.HasPrefix(b.Best().Name, judge.Nearest) {
		text += "; images that nearly repeat may lie in two parts"
		steps = append([]journal.Step{{Do: journal.Inspect}}, steps...)
	}
	j.Note(text, steps...)
}

func sortedNames(m map[string]float64) []string { return slices.Sorted(maps.Keys(m)) }
