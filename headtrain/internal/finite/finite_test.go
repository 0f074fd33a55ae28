package finite

import (
	"math"
	"testing"
)

func TestFirstFaultyValueIsFound(t *testing.T) {
	for n := range 40 {
		x := make([]float32, n)
		for i := range x {
			x[i] = math.MaxFloat32 * float32(1-2*(i%2))
		}
		if i := FirstNot(x); i != -1 {
			t.Fatalf("%d values: %d", n, i)
		}
		for i := n - 1; i >= 0; i-- {
			for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				x[i] = float32(v)
				if got := FirstNot(x); got != i {
					t.Fatalf("%v at %d of %d: %d", v, i, n, got)
				}
			}
		}
	}
}
