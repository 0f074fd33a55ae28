package headtrain

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"icebox/headtrain/internal/kernel"
)

func TestShuffleIsAPermutationOfItsOwnEachEpoch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]int32, 1000)
	for i := range rows {
		rows[i] = int32(i) * 3
	}
	seen := map[[3]int32]bool{}
	order, again := make([]int32, len(rows)), make([]int32, len(rows))
	for epoch := 1; epoch <= 20; epoch++ {
		seed := r.Uint64()
		shuffle(order, rows, seed, epoch)
		shuffle(again, rows, seed, epoch)
		count := map[int32]int{}
		for i, v := range order {
			count[v]++
			if again[i] != v {
				t.Fatal("the same seed and epoch gave another order")
			}
		}
		if len(count) != len(rows) {
			t.Fatalf("epoch %d has %d different rows of %d", epoch, len(count), len(rows))
		}
		shuffle(again, rows, seed, epoch+1)
		key := [3]int32{order[0], order[1], order[2]}
		if seen[key] || [3]int32{again[0], again[1], again[2]} == key {
			t.Error("two epochs begin with the same three rows")
		}
		seen[key] = true
	}
}

// SplitMix64 from state 0, as published with the algorithm, and the streams
// built on it: heads of today must be reproducible for ever.
func TestGeneratorIsSplitMix64(t *testing.T) {
	r := rng{}
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := r.next(); got != want {
			t.Errorf("draw %d is %#x, want %#x", i, got, want)
		}
	}
	order := make([]int32, 8)
	shuffle(order, []int32{0, 1, 2, 3, 4, 5, 6, 7}, 42, 3)
	if want := []int32{1, 6, 0, 3, 4, 7, 5, 2}; !slices.Equal(order, want) {
		t.Errorf("seed 42 shuffles epoch 3 to %v, want %v", order, want)
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
	params := make([]float32, k*stride)
	drawParams(params, d, k, 7)
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
