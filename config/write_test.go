package config

import (
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline"
	"icebox/pipeline/sweep"
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

// float11 is what YAML 1.1, and so PyYAML, takes for a number with a point or an exponent;
// what does not match is text to it.
var float11 = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[0-9]+)$`)

func TestNumbersAreNumbersToYAML11(t *testing.T) {
	o := pipeline.Default()
	for _, v := range []float64{1e-8, 1e-10, 2.5e-7, 1e21, 3e300, 0.001, 5e-324, 0, 1, 1000, 123456789, 1e-4, math.MaxFloat64} {
		o.Head.Eps = v
		o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{v}}}
		for _, line := range strings.Split(string(Write(o)), "\n") {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			if name == "lr" && strings.HasPrefix(value, "[") {
				value = strings.Trim(value, "[]")
			} else if name != "eps" {
				continue
			}
			got, err := strconv.ParseFloat(value, 64)
			if err != nil || got != v || !float11.MatchString(value) {
				t.Errorf("%v is written as %s", v, line)
			}
		}
	}
}
