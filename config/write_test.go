package config

import (
	"reflect"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline"
)

// What Changed lists is an argument each, and gives the options that it was asked of.
func TestChangedSettingsAreArguments(t *testing.T) {
	dir := t.TempDir()
	want, err := Load(Source{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := Changed(want.Options, "head"); got != nil {
		t.Errorf("of the defaults: %q", got)
	}
	h := &want.Options.Head
	h.Optimizer, h.WeightDecay, h.Epochs, h.Eps, h.Seed = headtrain.OptimizerLBFGS, 0.03, 1000, 1e-10, 7
	h.ClassWeights = headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: map[string]float64{"it's: one": 2, "b": 0.5}}
	want.Options.Tune, want.Options.Refit = pipeline.TuneOff, true
	args := Changed(want.Options, "head")
	src := Source{Dir: dir}
	for _, arg := range args {
		o, err := ParseOverride(arg)
		if err != nil {
			t.Fatal(err)
		}
		src.Overrides = append(src.Overrides, o)
	}
	got, err := Load(src)
	if err != nil || !reflect.DeepEqual(got.Options.Head, want.Options.Head) || got.Options.Tune != pipeline.TuneOff || !got.Options.Refit {
		t.Errorf("%q: %v", args, err)
	}
	if len(args) != 8 || !strings.HasPrefix(args[0], "head.tune=off") {
		t.Errorf("%q", args)
	}
}
