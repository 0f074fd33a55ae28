package pipeline

import (
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
)

// Each optimizer is advised on what it has.
func TestAdviceOnATrainingThatFellShort(t *testing.T) {
	falling := make([]headtrain.Epoch, 3)
	for i := range falling {
		falling[i].TrainLoss = 1 / float64(i+1)
	}
	for _, c := range []struct{ optimizer, stopped, want string }{
		{"adam", headtrain.StoppedEpochs, "took only 3 steps and the loss was still falling: try Head.Epochs = 500"},
		{"adam", headtrain.StoppedEarly, ""},
		{"lbfgs", headtrain.StoppedEpochs, "has not converged in 3 iterations (its gradient has values up to 0.02; 1e-07 is converged): try Head.Epochs = 1000"},
		{"lbfgs", headtrain.StoppedStalled, "after 3 iterations nothing better is left within the precision of float32 (its gradient has values up to 0.02;"},
		{"lbfgs", headtrain.StoppedConverged, ""},
		{"lbfgs", headtrain.StoppedEarly, ""},
	} {
		j := journal.New(Silent, nil)
		t9 := task{options: Default().Head, parts: parts{train: &features.Rows{Items: make([]int, 9)}}}
		t9.options.Optimizer = c.optimizer
		fit := headtrain.Result{History: falling, Stopped: c.stopped, Gradient: 0.02}
		noteFewSteps(t9, fit, j)
		noteNotConverged(t9.options, fit, j)
		if got := strings.Join(j.Log().Warnings, "\n"); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s, %s: %q", c.optimizer, c.stopped, got)
		}
	}
}
