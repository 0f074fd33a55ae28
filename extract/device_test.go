package extract

import (
	"context"
	"reflect"
	"strings"
	"testing"
)

func TestDevicesAreParsed(t *testing.T) {
	for text, want := range map[string]Device{
		"": {}, "auto": {}, "cpu": {CPU: true}, "cuda": {GPU: true}, "cuda:1": {GPU: true, IDs: []int{1}}, "cuda:2,0": {GPU: true, IDs: []int{0, 2}},
	} {
		if got, err := ParseDevice(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"gpu", "cuda:", "cuda:x", "cuda:0,", "cuda:0,0", "cuda:-1", "rocm:0", "cuda:99999999999"} {
		if d, err := ParseDevice(text); err == nil || !strings.Contains(err.Error(), "cuda:0,1") {
			t.Errorf("%q: %+v, %v", text, d, err)
		}
	}
}

func TestDeviceAndPrecisionFitTheEngine(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Engine: Native, Device: "cuda:0"}, "exclude each other"},
		{Options{Engine: CUDA, Device: "cpu"}, "exclude each other"},
		{Options{Engine: Native, Precision: "fp16"}, "needs a GPU"},
		{Options{Device: "cpu", Precision: "tf32"}, "needs a GPU"},
		{Options{Precision: "fp8"}, `Precision "fp8" is not known`},
		{Options{Engine: CUDA, Precision: "bf16"}, "bf16 is for CPUs"},
		{Options{Device: "cuda:0", Precision: "bf16"}, "bf16 is for CPUs"},
		{Options{Device: "gpu"}, `Device "gpu" is not known`},
	} {
		if err := c.o.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	for _, o := range []Options{{Engine: CUDA}, {Engine: CUDA, Device: "cuda:1", Precision: "fp16"}, {Device: "cuda", Precision: "tf32"}, {Device: "cpu"}, {Device: "cpu", Precision: "bf16"}, {Engine: Native, Precision: "bf16"}} {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// "auto" tries the engines that fit device and precision, in order; a program without
// a GPU engine says so.
func TestCandidates(t *testing.T) {
	gpu := EngineSpec{Name: CUDA, Numerics: []string{"fp32", "fp16"}}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "cuda native"},
		{Options{Device: "cpu"}, "native"},
		{Options{Device: "cuda:1"}, "cuda"},
		{Options{Precision: "fp16"}, "cuda"},
		{Options{Precision: "tf32"}, ""},
		{Options{Precision: "bf16"}, "native"},
		{Options{Engine: Native}, "native"},
		{Options{Engine: CUDA}, "cuda"},
	} {
		c.o.Engines = []EngineSpec{gpu}
		var names []string
		for _, e := range c.o.candidates() {
			names = append(names, e.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("device %q, precision %q, engine %q: %s, want %s", c.o.Device, c.o.Precision, c.o.Engine, got, c.want)
		}
	}
	x, err := Open(context.Background(), Options{Weights: Random, Device: "cuda"})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if _, err := x.Engine(); err == nil || !strings.Contains(err.Error(), "this program has none") {
		t.Error(err)
	}
}
