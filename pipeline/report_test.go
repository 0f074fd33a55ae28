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
	rep, text := reportOf(t, sum)
	if rep.Engine != headtrain.EngineFused || strings.Contains(text, "shaped") || !strings.Contains(text, "training  6 epochs, best 6,") {
		t.Errorf("by default: engine %q\n%s", rep.Engine, text)
	}
	o.Head.EMA, o.Head.Mixup, o.Head.LabelSmoothing, o.Head.Schedule = 0.9, 0.2, 0.1, headtrain.ScheduleCosine
	o.Head.ClassWeights = headtrain.ClassWeights{Mode: headtrain.WeightsBalanced}
	o.Head.EarlyStopping = headtrain.EarlyStopping{Patience: 1, MinDelta: 10, Metric: headtrain.MetricValAcc}
	sum, err = o.train()
	must(t, err)
	rep, text = reportOf(t, sum)
	const want = "shaped by schedule cosine, mixup 0.2, label smoothing 0.1, class weights balanced, " +
		"moving average of the weights (ema) 0.9, early stopping after 1 epoch without a better val_acc by more than 10\n" +
		"training  2 of 6 epochs, best 1,"
	if !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
	if rep.Head.EMA != 0.9 || rep.Head.Mixup != 0.2 || rep.Head.ClassWeights.Mode != headtrain.WeightsBalanced {
		t.Errorf("%+v", rep.Head)
	}
}
