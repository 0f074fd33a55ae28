package headtrain

import (
	"math"
	"testing"

	"icebox/headtrain/internal/kernel"
)

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
	if low < -bound || high > bound || low > -0.98*bound || high < 0.98*bound || !(math.Abs(sum/(k*(d+1))) <= 0.1*bound) {
		t.Errorf("weights from %v to %v, mean %v; want ±%v around 0", low, high, sum/(k*(d+1)), bound)
	}
}
