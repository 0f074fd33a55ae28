package headtrain

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestRangesHoldAtTheirEnds(t *testing.T) {
	for _, c := range []struct {
		Range
		in, out []float64
		text    string
	}{
		{From(0), []float64{0, 9e99}, []float64{-1e-300, math.Inf(-1), math.Inf(1), math.NaN()}, "≥ 0"},
		{Above(0), []float64{1e-300}, []float64{0, -1, math.Inf(1)}, "> 0"},
		{From(0).Below(1), []float64{0, 0.999}, []float64{1, -0.1}, "≥ 0 and < 1"},
		{From(1).To(9), []float64{1, 9}, []float64{0.9, 9.1}, "from 1 to 9"},
		{From(1).To(1_000_000), []float64{1}, []float64{0}, "from 1 to 1000000"},
		{From(0).To(0.5), []float64{0.5}, []float64{0.6}, "from 0 to 0.5"},
		{Above(0).To(1), []float64{1}, []float64{0, 1.1}, "> 0 and ≤ 1"},
	} {
		for _, v := range c.in {
			if !c.Holds(v) {
				t.Errorf("%v is not taken for %s", v, c.Range)
			}
		}
		for _, v := range c.out {
			if c.Holds(v) {
				t.Errorf("%v is taken for %s", v, c.Range)
			}
		}
		if c.String() != c.text {
			t.Errorf("%s, want %s", c.Range, c.text)
		}
	}
}

// field finds a field of options by its path.
func field(v reflect.Value, path string) reflect.Value {
	for _, name := range strings.Split(path, ".") {
		v = v.FieldByName(name)
	}
	return v
}

// Validate refuses what is out of the ranges and not among the choices, and names the
// field; and every number and every choice of Options has its place there.
func TestValidateHoldsToRangesAndChoices(t *testing.T) {
	refuses := func(o Options, path string) bool {
		err, found := o.Validate(), false
		for _, e := range joined(err) {
			var f Fault
			found = found || errors.As(e, &f) && f.Field == path
		}
		return found
	}
	for path, r := range Ranges() {
		if path == "ClassWeights.Map" || path == "Seed" {
			continue // a map, and a number that cannot be less than 0
		}
		o := Options{Kind: KindMLP, Optimizer: OptimizerSGD}
		switch f := field(reflect.ValueOf(&o).Elem(), path); f.Kind() {
		case reflect.Int:
			f.SetInt(-1)
		case reflect.Float64:
			f.SetFloat(-1)
		default:
			t.Fatalf("%s is a %v", path, f.Kind())
		}
		if !refuses(o, path) {
			t.Errorf("%s (-1) is not refused", path)
		}
		if math.IsInf(r.High, 1) {
			continue
		}
		if f := field(reflect.ValueOf(&o).Elem(), path); f.Kind() == reflect.Int {
			f.SetInt(int64(r.High) + 1)
		} else {
			f.SetFloat(r.High + 1)
		}
		if !refuses(o, path) {
			t.Errorf("%s above %v is not refused", path, r.High)
		}
	}
	for path, all := range Choices() {
		for _, word := range append(all, "gizmo") {
			o := Options{}
			field(reflect.ValueOf(&o).Elem(), path).SetString(word)
			if refuses(o, path) != (word == "gizmo") {
				t.Errorf("%s %q: %v", path, word, o.Validate())
			}
		}
	}
}

func joined(err error) []error {
	if err == nil {
		return nil
	}
	all, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	return all.Unwrap()
}
