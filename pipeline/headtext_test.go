package pipeline

import (
	"strings"
	"testing"

	"icebox/headtrain"
)

func TestReportsNameWhatShapedTheTraining(t *testing.T) {
	o := featureOptions(t)
	sum, err := o.train()
	must(t, err)
	rep, text := sum.report(t)
	if rep.Engine != headtrain.EngineFused || strings.Contains(text, "shaped") || !strings.Contains(text, "training  6 epochs, best 6,") {
		t.Errorf("by default: engine %q\n%s", rep.Engine, text)
	}
	o.Head.EMA, o.Head.Mixup, o.Head.LabelSmoothing, o.Head.Schedule = 0.9, 0.2, 0.1, headtrain.ScheduleCosine
	o.Head.ClassWeights = headtrain.ClassWeights{Mode: headtrain.WeightsBalanced}
	o.Head.EarlyStopping = headtrain.EarlyStopping{Patience: 1, MinDelta: 10, Metric: headtrain.MetricValAcc}
	sum, err = o.train()
	must(t, err)
	rep, text = sum.report(t)
	const want = "shaped by schedule cosine, mixup 0.2, label smoothing 0.1, class weights balanced, " +
		"moving average of the weights (ema) 0.9, early stopping after 1 epochs without a better val_acc by more than 10\n" +
		"training  2 of 6 epochs, best 1,"
	if !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
	if rep.Head.EMA != 0.9 || rep.Head.Mixup != 0.2 || rep.Head.ClassWeights.Mode != headtrain.WeightsBalanced {
		t.Errorf("%+v", rep.Head)
	}
}

func TestHeadsAreDescribedByWhatMatters(t *testing.T) {
	for _, c := range []struct {
		set           func(*headtrain.Options)
		head, shaping string
	}{
		{func(*headtrain.Options) {}, "linear on standardised features, adam, lr 0.001, weight decay 0, batch 256, seed 0", ""},
		{func(o *headtrain.Options) { o.Optimizer, o.Warmup = headtrain.OptimizerLBFGS, 2 }, "linear on standardised features, lbfgs, weight decay 0", ""},
		{func(o *headtrain.Options) {
			o.Optimizer, o.Momentum, o.Nesterov, o.Warmup, o.Schedule = headtrain.OptimizerSGD, 0.9, true, 2, headtrain.ScheduleStep
		}, "linear on standardised features, sgd, lr 0.001, weight decay 0, batch 256, seed 0",
			"Nesterov momentum 0.9, schedule step (× 0.1 every 3 epochs), warm-up over 2 epochs"},
		{func(o *headtrain.Options) {
			o.Kind, o.Dropout, o.Beta1 = headtrain.KindMLP, 0.5, 0.8
			o.ClassWeights = headtrain.ClassWeights{Map: map[string]float64{"h": 1, "a": 2, "b": 0.5, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1}}
		}, "mlp of 256 hidden units, dropout 0.5, on standardised features, adam, lr 0.001, weight decay 0, batch 256, seed 0",
			"betas 0.8 and 0.999, class weights (a 2, b 0.5, c 1, d 1, e 1, f 1, … and 2 more)"},
	} {
		var o headtrain.Options
		c.set(&o)
		if got := describeHead(o, headtrain.EngineFused); got != c.head {
			t.Errorf("head: %s, want %s", got, c.head)
		}
		if got := describeShaping(o); got != c.shaping {
			t.Errorf("shaped by: %s, want %s", got, c.shaping)
		}
	}
	if got := describeHead(headtrain.Options{}, "gorgonia"); !strings.HasSuffix(got, ", engine gorgonia") {
		t.Error(got)
	}
}
