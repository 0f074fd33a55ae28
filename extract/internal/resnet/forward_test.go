package resnet

import (
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

func TestFeatureDoesNotDependOnItsBatch(t *testing.T) {
	eachNet(t, func(t *testing.T, n *Net) {
		count := group + 3
		if n.isa == isa.Portable {
			count = 3
		}
		images := make([][]uint8, count)
		for i := range images {
			images[i] = recipeImage(i % 3)
		}
		var alone [3][]float32
		for i := range alone {
			alone[i] = forward(n, recipeImage(i))
		}
		got := forward(n, images...)
		for i := range images {
			if d := cmp.Diff(alone[i%3], got[i*Dim:][:Dim]); d != "" {
				t.Fatalf("image %d of %d: %s", i, count, d)
			}
		}
	})
}

func TestWorkersShareANet(t *testing.T) {
	eachNet(t, func(t *testing.T, n *Net) {
		want := forward(n, recipeImage(0))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if d := cmp.Diff(want, forward(n, recipeImage(0))); d != "" {
					t.Error(d)
				}
			})
		}
		wg.Wait()
	})
}

func TestWorkspaceKeepsNothingOfThePreviousImage(t *testing.T) {
	eachNet(t, func(t *testing.T, n *Net) {
		ws := n.NewWorkspace()
		first, again := make([]float32, Dim), make([]float32, Dim)
		n.Forward(ws, first, recipeImage(0), 1)
		n.Forward(ws, again, recipeImage(1), 1)
		n.Forward(ws, again, recipeImage(0), 1)
		if d := cmp.Diff(first, again); d != "" {
			t.Error(d)
		}
	})
}

func TestAVX2AndAVX512GiveEqualFeatures(t *testing.T) {
	if isa.Best(kernel.Available()) != isa.AVX512 {
		t.Skip("no AVX-512 in this build or on this machine")
	}
	images := [][]uint8{recipeImage(0), recipeImage(1), recipeImage(2)}
	for _, plan := range []string{Winograd, Compact} {
		x, y := forward(netOf(t, isa.AVX2, plan), images...), forward(netOf(t, isa.AVX512, plan), images...)
		for i := range x {
			if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
				t.Fatalf("%s: value %d: %x by AVX2, %x by AVX-512", plan, i, math.Float32bits(x[i]), math.Float32bits(y[i]))
			}
		}
	}
}

func TestForwardAllocatesNothing(t *testing.T) {
	n := netOf(t, isa.Best(kernel.Available()), Winograd)
	ws, features, pixels := n.NewWorkspace(), make([]float32, 2*Dim), slices.Concat(recipeImage(0), recipeImage(1))
	if allocs := testing.AllocsPerRun(3, func() { n.Forward(ws, features, pixels, 2) }); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// If all weights are zero but the shift of one batch norm, the features do not depend on
// the image: each is known.
func TestConstantNetGivesItsBias(t *testing.T) {
	tensor := func(name string) []float32 {
		full := recipe()(name)
		t := make([]float32, len(full))
		for i := range t {
			switch {
			case name == "layer4.1.bn2.bias":
				t[i] = float32(i) - 100
			case len(name) > 11 && name[len(name)-11:] == "running_var":
				t[i] = 1
			}
		}
		return t
	}
	for _, on := range kernel.Available() {
		if raceDetector && on == isa.Portable {
			continue
		}
		n, err := New(tensor, Options{LUT: recipeLUT(), ISA: on.String()})
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range forward(n, recipeImage(0)) {
			if want := max(float32(i)-100, 0); math.Abs(float64(got-want)) > 1e-4 {
				t.Fatalf("%s: feature %d is %v, want %v", on, i, got, want)
			}
		}
	}
}
