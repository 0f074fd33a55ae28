package headtrain

import (
	"math"
	"slices"
	"testing"

	"icebox/headtrain/internal/kernel"
)

// SplitMix64 from state 0, as published with the algorithm, and the streams
// built on it: heads of today must be reproducible for ever.
func TestGeneratorIsSplitMix64(t *testing.T) {
	r := rng{}
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := r.next(); got != want {
			t.Errorf("draw %d is %#x, want %#x", i, got, want)
		}
	}
	for _, shuffle := range []Shuffle{ShuffleRows, ShuffleBlocks} {
		order := epochOf(Options{Seed: 42, Shuffle: shuffle}, rowsOf(8, 2), 3)
		if want := []int32{1, 6, 0, 3, 4, 7, 5, 2}; !slices.Equal(order, want) {
			t.Errorf("seed 42 shuffles epoch 3 by %s to %v, want %v", shuffle, order, want)
		}
	}
	if got, want := newRNG(42, initStream).state, uint64(12870963724712631011); got != want {
		t.Errorf("the initial weights of seed 42 start from %d, want %d", got, want)
	}
}

func TestInitialWeightsFillTheirRange(t *testing.T) {
	const d, k = 100, 10
	bound := 1 / math.Sqrt(d)
	sum, low, high := 0.0, 0.0, 0.0
	stride := kernel.Stride(d)
	params := initialLayers(Options{Seed: 7}.WithDefaults(), d, k)[0].params()
	for c := range k {
		for j := range d + 1 {
			v := float64(params[c*stride+j])
			sum, low, high = sum+v, min(low, v), max(high, v)
		}
	}
	if low < -bound || high > bound || low > -0.98*bound || high < 0.98*bound || math.Abs(sum/(k*(d+1))) > 0.1*bound {
		t.Errorf("weights from %v to %v, mean %v; want ±%v around 0", low, high, sum/(k*(d+1)), bound)
	}
}
