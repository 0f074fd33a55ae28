package resnet

import (
	"errors"
	"testing"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

// The transforms of portable code round otherwise than those of assembly, and that may take a
// value to the next bfloat16: so features are near, and not equal.
func TestPortableBF16IsNearTorchAndNearTheHardware(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("portable code takes seconds an image")
	}
	portable := netIn(t, Options{ISA: isa.Portable.String(), Plan: Compact, Precision: BF16})
	got := forward(portable, recipeImage(0))
	cosine, maxAbs := portable.bounds()
	agree(t, got, loadTorch(t).Images[0].Features, cosine, maxAbs)
	best := isa.Best(kernel.Available())
	if best == isa.Portable || !kernel.HasBF16(best) {
		t.Skip("no AVX512-BF16 in this build or on this machine: only the reference was run")
	}
	hardware := forward(netIn(t, Options{ISA: best.String(), Plan: Compact, Precision: BF16}), recipeImage(0))
	agree(t, got, hardware, cosine, maxAbs)
}

func TestBF16NeedsTheInstruction(t *testing.T) {
	for _, on := range kernel.Available() {
		err := Options{LUT: recipeLUT(), ISA: on.String(), Precision: BF16}.Validate()
		if (err == nil) != kernel.HasBF16(on) || err != nil && !errors.Is(err, ErrPrecision) {
			t.Errorf("%s: %v", on, err)
		}
	}
	best := isa.Best(kernel.Available())
	err := Options{LUT: recipeLUT(), Precision: BF16}.Validate()
	if (err == nil) != (best != isa.Portable && kernel.HasBF16(best)) {
		t.Errorf("auto: %v", err)
	}
	if err := (Options{LUT: recipeLUT(), Precision: "fp8"}).Validate(); !errors.Is(err, ErrPrecision) {
		t.Errorf("fp8: %v", err)
	}
}

func TestBF16TakesHalfTheMemory(t *testing.T) {
	size := func(precision string) (bytes int) {
		n := netIn(t, Options{ISA: isa.Portable.String(), Plan: Compact, Precision: precision})
		for i := range n.blocks {
			for _, c := range []*conv{&n.blocks[i].conv1, &n.blocks[i].conv2} {
				bytes += 4*len(c.weights.data) + 2*len(c.weights.narrow)
			}
		}
		return bytes
	}
	if full, narrow := size(FP32), size(BF16); narrow >= full {
		t.Errorf("%d bytes, as floats %d", narrow, full)
	}
}
