package headtrain

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
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
	want := `Input "raw" is not known: choose standardise, none or l2
Epochs (-1) must be from 1 to 1000000
BatchSize (-5) must be ≥ 1
Shuffle "pages" is not known: choose rows or blocks
Threads (-1) must be from 0 to 1024
Optimizer "rmsprop" is not known: choose adam, adamw, sgd or lbfgs
LR (NaN) must be finite and > 0
WeightDecay (+Inf) must be finite and ≥ 0
Momentum (1) must be ≥ 0 and < 1
Momentum (1) is for the optimizer sgd, not rmsprop
Beta1 (1) must be > 0 and < 1
Beta2 (NaN) must be finite and > 0 and < 1
Eps (-1) must be > 0
Schedule "linear" is not known: choose constant, cosine, step or onecycle
Warmup (-1) must be ≥ 0
StepEpochs (-2) must be ≥ 0
StepFactor (2) must be > 0 and ≤ 1
LabelSmoothing (1) must be ≥ 0 and < 1
ClassWeights.Mode "heavy" is not known: choose none, balanced or map
ClassWeights.Mode (heavy) must be map where weights are given
ClassWeights.Map must give "a" a finite weight that is ≥ 0, not -1
ClassWeights.Map must give "b" a finite weight that is ≥ 0, not NaN
EarlyStopping.Patience (-1) must be ≥ 0
EarlyStopping.MinDelta (NaN) must be finite and ≥ 0
EarlyStopping.Metric "train_loss" is not known: choose val_loss, val_acc, val_macro_f1 or val_balanced_acc`
	if d := cmp.Diff(want, err.Error()); d != "" {
		t.Error(d)
	}
}

func TestEachSingleFaultIsCaught(t *testing.T) {
	for says, o := range map[string]Options{
		"LR (+Inf) must be finite and > 0":                  {LR: math.Inf(1)},
		"LR (-0.1) must be > 0":                             {LR: -0.1},
		"Nesterov needs a momentum":                         {Optimizer: "sgd", Nesterov: true},
		"Momentum (0.9) is for the optimizer sgd, not adam": {Momentum: 0.9},
		"Warmup (3) must be less than the number of":        {Epochs: 3, Warmup: 3},
		"ClassWeights.Map must hold weights":                {ClassWeights: ClassWeights{Mode: "map"}},
		"ClassWeights.Mode (balanced) must be map":          {ClassWeights: ClassWeights{Mode: "balanced", Map: map[string]float64{"a": 1}}},
		"Mixup (-1) must be from 0 to 1000":                 {Mixup: -1},
		"Mixup (+Inf) must be finite and from 0 to 1000":    {Mixup: math.Inf(1)},
		"Mixup (1) cannot be used with the optimizer lbfgs": {Mixup: 1, Optimizer: "lbfgs"},
		"EMA (1) must be ≥ 0 and < 1":                       {EMA: 1},
		"EMA (0.5) cannot be used with the optimizer lbfgs": {EMA: 0.5, Optimizer: "lbfgs"},
		"Epochs (2000000) must be from 1 to 1000000":        {Epochs: 2_000_000},
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

// Each fault's Field is the path of a field, by which a caller finds its own
// name for it.
func TestFaultsNameFields(t *testing.T) {
	err := Options{LR: -1, ClassWeights: ClassWeights{Mode: "heavy"}, EarlyStopping: EarlyStopping{Patience: -1, Metric: "x"}, Kind: "cnn", EMA: 2}.Validate()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 6 {
		t.Fatalf("error %v", err)
	}
	for _, e := range joined.Unwrap() {
		var f Fault
		if !errors.As(e, &f) || f.Text == "" || f.Error() != f.Field+" "+f.Text {
			t.Errorf("%v is %+v", e, f)
		}
		at := reflect.TypeFor[Options]()
		for name := range strings.SplitSeq(f.Field, ".") {
			field, ok := at.FieldByName(name)
			if !ok {
				t.Fatalf("%s is no field of %v", f.Field, at)
			}
			at = field.Type
		}
	}
}
