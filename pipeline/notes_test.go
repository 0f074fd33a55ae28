package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
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
		{"lbfgs", headtrain.StoppedEpochs, "has not converged in 3 iterations (its largest gradient is 0.02 and must fall to 1e-07): try Head.Epochs = 1000"},
		{"lbfgs", headtrain.StoppedStalled, "after 3 iterations nothing better is left within the precision of float32 (its largest gradient is 0.02 "},
		{"lbfgs", headtrain.StoppedConverged, ""},
		{"lbfgs", headtrain.StoppedEarly, ""},
	} {
		j := journal.New(Silent, nil)
		t9 := task{options: Default().Head, parts: parts{train: &features.Rows{Items: make([]int, 9)}}}
		t9.options.Optimizer = c.optimizer
		fit := headtrain.Result{History: falling, Stopped: c.stopped, Gradient: 0.02}
		noteFewSteps(t9, fit, j)
		noteNotConverged(t9.options, fit, j)
		if got := strings.Join(j.Finish().Warnings, "\n"); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s, %s: %q", c.optimizer, c.stopped, got)
		}
	}
}

// A loss that falls where every answer is right is no reason to train on.
func TestAHeadThatMakesNoMistakeIsNotAdvised(t *testing.T) {
	for _, accuracy := range []float64{0.99, 1} {
		j := journal.New(Silent, nil)
		t9 := task{options: Default().Head, parts: parts{train: &features.Rows{Items: make([]int, 9)}}}
		noteFewSteps(t9, headtrain.Result{History: []headtrain.Epoch{{TrainLoss: 1}, {TrainLoss: 0.5, TrainAcc: accuracy}}, Stopped: headtrain.StoppedEpochs}, j)
		if got := j.Finish().Warnings; (len(got) > 0) != (accuracy < 1) {
			t.Errorf("accuracy %v: %q", accuracy, got)
		}
	}
}

// Equal bytes under two labels are listed, up to five pairs; a copy without a label is none.
func TestEqualBytesUnderTwoLabelsAreListed(t *testing.T) {
	for _, n := range []int{0, 2, 7} {
		ds := &dataset.Dataset{Roots: []dataset.Root{{}}, Classes: []string{"ant", "bee"}}
		for i := range n {
			for label, class := range ds.Classes {
				ds.Items = append(ds.Items, dataset.Item{Path: fmt.Sprint(class, "/", i, ".jpg"), Label: int32(label), Part: dataset.Train, Hash: cache.Key{byte(i + 1)}})
			}
		}
		ds.Items = append(ds.Items, dataset.Item{Path: "x.jpg", Label: dataset.Unlabelled, Part: dataset.Train, Hash: cache.Key{1}})
		j := journal.New(Silent, nil)
		noteDuplicates(ds, j)
		got := strings.Join(j.Finish().Warnings, "\n")
		if (got == "") != (n == 0) {
			t.Errorf("%d pairs: %q", n, got)
		}
		if n > 0 && (!strings.Contains(got, fmt.Sprint(n, " pairs: ant/0.jpg (ant) and bee/0.jpg (bee); ant/1.jpg")) || strings.Count(got, "and bee") != min(n, 5)) {
			t.Errorf("%d pairs: %q", n, got)
		}
		if strings.Contains(got, "; and 2 more") != (n == 7) {
			t.Errorf("%d pairs: %q", n, got)
		}
	}
}
