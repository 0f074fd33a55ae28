package resnet

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
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

// featureBits are the SHA-256 of the features of two images by each plan, as AVX2, AVX-512 and
// NEON compute them.
var featureBits = map[string]string{
	Winograd: "07c7cd8e5b1bcbcd3f40424269943d7f65a220929a2229a0457e5a93353af26b",
	Compact:  "8ac3cc502014c65d62430649b2776f81ed23049afa0b0547181a504cb2c13330",
}

// Assembly gives the same features on any machine.
func TestAssemblyGivesTheSameFeaturesEverywhere(t *testing.T) {
	for _, on := range kernel.Available()[1:] {
		for plan, want := range featureBits {
			sum := sha256.New()
			if err := binary.Write(sum, binary.LittleEndian, forward(netOf(t, on, plan), recipeImage(0), recipeImage(1))); err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(sum.Sum(nil)); got != want {
				t.Errorf("%s, %s: the bits have the sum %s, want %s", on, plan, got, want)
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
