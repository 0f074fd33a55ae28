package report

import (
	"strings"
	"testing"

	"icebox/headtrain"
)

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
