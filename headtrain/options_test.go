package headtrain

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestZeroOptionsAreTheDefaults(t *testing.T) {
	if err := (Options{}).Validate(); err != nil {
		t.Errorf("zero options: %v", err)
	}
	want := Options{
		Kind: "linear", Input: "standardise", Epochs: 10, BatchSize: 256, Shuffle: "rows", Optimizer: "adam", LR: 1e-3,
		Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Schedule: "constant", StepEpochs: 3, StepFactor: 0.1,
		ClassWeights: ClassWeights{Mode: "none"}, EarlyStopping: EarlyStopping{Metric: "val_loss"},
	}
	got := Options{}.WithDefaults()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(got, got.WithDefaults()); d != "" {
		t.Errorf("defaults of defaults differ:\n%s", d)
	}
}

func TestEveryOptionFaultIsReportedAtOnce(t *testing.T) {
	nan := math.NaN()
	err := Options{
		Input: "raw", Epochs: -1, BatchSize: -5, Shuffle: "pages", Optimizer: "rmsprop", LR: nan, WeightDecay: math.Inf(1),
		Momentum: 1, Beta1: 1, Beta2: nan, Eps: -1, Schedule: "linear", Warmup: -1, StepEpochs: -2, StepFactor: 2,
		LabelSmoothing: 1, ClassWeights: ClassWeights{Mode: "heavy", Map: map[string]float64{"a": -1, "b": nan}},
		EarlyStopping: EarlyStopping{Patience: -1, MinDelta: nan, Metric: "train_loss"}, Threads: -1,
	}.Validate()
	if !errors.Is(err, ErrOptions) {
		t.Fatalf("error %v", err)
	}
	want := `invalid head options: input must be one of standardise, none, l2, not "raw"
epochs must be from 1 to 1000000, not -1
batch_size must be positive, not -5
shuffle must be one of rows, blocks, not "pages"
threads must be from 0 (all processors) to 1024, not -1
optimizer must be one of adam, adamw, sgd, lbfgs, not "rmsprop"
lr must be a positive number, not NaN; usual values lie between 1e-4 and 1e-1
weight_decay must be a finite number from 0 up, not +Inf
momentum must be from 0 to less than 1, not 1
momentum is for the optimizer sgd, not rmsprop
beta1 must lie between 0 and 1, not 1
beta2 must lie between 0 and 1, not NaN
eps must be a positive number, not -1
schedule must be one of constant, cosine, step, onecycle, not "linear"
warmup must be from 0 to less than epochs (-1), not -1
step_epochs must be positive, not -2
step_factor must be above 0 and at most 1, not 2
label_smoothing must be from 0 to less than 1, not 1
class_weights must be one of none, balanced, map, not "heavy"
class_weights: weights by class are given, so the mode must be map, not heavy
class_weights: the weight of "a" must be a finite number from 0 up, not -1
class_weights: the weight of "b" must be a finite number from 0 up, not NaN
early_stopping: patience must be 0 (off) or more, not -1
early_stopping: min_delta must be a finite number from 0 up, not NaN
early_stopping: metric must be one of val_loss, val_acc, not "train_loss"`
	if d := cmp.Diff(want, err.Error()); d != "" {
		t.Error(d)
	}
}

func TestEachSingleFaultIsCaught(t *testing.T) {
	for says, o := range map[string]Options{
		"lr must be a positive number, not +Inf": {LR: math.Inf(1)},
		"lr must be a positive number, not -0.1": {LR: -0.1},
		"nesterov needs a momentum":              {Optimizer: "sgd", Nesterov: true},
		"momentum is for the optimizer sgd":      {Momentum: 0.9},
		"less than epochs (3), not 3":            {Epochs: 3, Warmup: 3},
		"but no weights are given":               {ClassWeights: ClassWeights{Mode: "map"}},
		"so the mode must be map, not balanced":  {ClassWeights: ClassWeights{Mode: "balanced", Map: map[string]float64{"a": 1}}},
		"mixup must be from 0 (off) to 1000":     {Mixup: -1},
		"to 1000, not +Inf":                      {Mixup: math.Inf(1)},
		"mixup is for optimizers that take":      {Mixup: 1, Optimizer: "lbfgs"},
		"ema must be from 0 (off)":               {EMA: 1},
		"ema is for optimizers that take steps":  {EMA: 0.5, Optimizer: "lbfgs"},
		"epochs must be from 1 to 1000000":       {Epochs: 2_000_000},
	} {
		if err := o.Validate(); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error is not %q alone: %v", says, err)
		}
	}
}

func TestOptionsSurviveJSON(t *testing.T) {
	for _, o := range variety {
		o = o.WithDefaults()
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var got Options
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(o, got.WithDefaults()); d != "" {
			t.Error(d)
		}
	}
}
