package report

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/tune"
)

func TestTuningSaysWhatWasChosenAndByWhat(t *testing.T) {
	outcome := func(best headtrain.Options) *tune.Outcome {
		return &tune.Outcome{Best: 1, Labels: make([]int32, 400), Points: []tune.Point{
			{Options: headtrain.Options{Optimizer: headtrain.OptimizerLBFGS, LR: 1}, Loss: math.Inf(1)},
			{Options: best, Loss: 0.5, Accuracy: 0.8},
		}}
	}
	lbfgs := headtrain.Options{Optimizer: headtrain.OptimizerLBFGS, WeightDecay: 0.1}
	adam := headtrain.Options{Optimizer: headtrain.OptimizerAdam, LR: 0.003, Epochs: 30, Schedule: headtrain.ScheduleCosine}
	for want, got := range map[string]*Tuning{
		"lbfgs, weight decay 0.1: the least loss of 2 heads in 5 folds of 400 images, 80.00 % right (± 2.00 %)":                                    NewTuning(outcome(lbfgs), 5, 0),
		"lbfgs, weight decay 0.1: the least loss of 2 heads on 400 validation images, 80.00 % right (± 2.00 %)":                                    NewTuning(outcome(lbfgs), 0, 400),
		"lbfgs, weight decay 0.1: the least loss of 2 heads on 400 images that were held out, 80.00 % right (± 2.00 %)":                            NewTuning(outcome(lbfgs), 1, 0),
		"adam, lr 0.003, weight decay 0, 30 epochs, schedule cosine: the least loss of 2 heads in 3 folds of 400 images, 80.00 % right (± 2.00 %)": NewTuning(outcome(adam), 3, 0),
		"not: there is no reason": {Note: "there is no reason"},
	} {
		if got.String() != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	text, err := json.Marshal(NewTuning(outcome(lbfgs), 5, 0))
	if err != nil || !strings.Contains(string(text), `{"optimizer":"lbfgs","weight_decay":0,"loss":null,"accuracy":0}`) {
		t.Errorf("%s, %v", text, err)
	}
}
