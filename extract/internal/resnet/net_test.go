package resnet

import (
	"errors"
	"strings"
	"testing"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

func TestNewNamesEveryTensorOfWrongSize(t *testing.T) {
	tensor := func(name string) []float32 {
		switch name {
		case "layer2.0.downsample.1.running_var":
			return nil
		case "layer4.1.conv2.weight":
			return make([]float32, 7)
		}
		return recipe()(name)
	}
	_, err := New(tensor, Options{LUT: recipeLUT()})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"layer2.0.downsample.1.running_var has 0 values, want 128", "layer4.1.conv2.weight has 7 values, want 2359296"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	err := Options{ISA: "sse9"}.Validate()
	if !errors.Is(err, ErrISA) || !errors.Is(err, ErrNoLUT) || !strings.Contains(err.Error(), `"sse9"`) {
		t.Errorf("%v", err)
	}
	if _, err := New(recipe(), Options{ISA: "sse9"}); !errors.Is(err, ErrISA) {
		t.Errorf("New: %v", err)
	}
	for _, isa := range []string{"", "auto", "portable"} {
		if err := (Options{LUT: recipeLUT(), ISA: isa}).Validate(); err != nil {
			t.Errorf("%q: %v", isa, err)
		}
	}
}

func TestAutoTakesTheBest(t *testing.T) {
	n, err := New(recipe(), Options{LUT: recipeLUT(), ISA: "auto"})
	if err != nil {
		t.Fatal(err)
	}
	if n.ISA() != isa.Best(kernel.Available()).String() {
		t.Errorf("auto is %s, best is %s", n.ISA(), isa.Best(kernel.Available()))
	}
}
