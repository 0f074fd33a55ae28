package kernel

import (
	"math"
	"testing"
)

// nearestHalf is the definition: of the halves beside x the nearer one, of two
// equally near the even one.
func nearestHalf(x float64) uint16 {
	best, least := uint16(0), math.Inf(1)
	for h := range uint16(0x7c00) {
		d := math.Abs(float64(Widen(h)) - math.Abs(x))
		if d < least || d == least && h%2 == 0 {
			best, least = h, d
		}
	}
	if math.Signbit(x) {
		best |= 0x8000
	}
	return best
}

func TestHalfOfEveryHalfIsItself(t *testing.T) {
	for h := range 0x10000 {
		x := Widen(uint16(h))
		if x != x {
			if y := Widen(Half(x)); y == y {
				t.Fatalf("%#04x is not a number, its half is %v", h, y)
			}
			continue
		}
		if got := Half(x); got != uint16(h) {
			t.Fatalf("half of %v is %#04x, want %#04x", x, got, h)
		}
	}
}

func TestHalfIsTheNearest(t *testing.T) {
	values := []float32{0x1p-25, 0x1.8p-25, 0x1.8p-24, 0x1p-14 - 0x1p-26, 1 + 0x1p-11, 1 + 0x3p-11, -1 - 0x1.004p-11, 65504, 65519, 3e-5, -0.1, 1e-9}
	for _, x := range filled(make([]float32, 20), 4) {
		values = append(values, x, x/1024, x*4096)
	}
	for _, x := range values {
		if got, want := Half(x), nearestHalf(float64(x)); got != want {
			t.Errorf("half of %v is %v, want %v", x, Widen(got), Widen(want))
		}
	}
	for _, x := range []float32{65520, 1e9, float32(math.Inf(1))} {
		if got := Half(x); got != 0x7c00 {
			t.Errorf("half of %v is %#04x, want infinity", x, got)
		}
	}
}

func TestWidenIsExact(t *testing.T) {
	for h, want := range map[uint16]float32{0: 0, 1: 0x1p-24, 0x03ff: 0x3ffp-24, 0x0400: 0x1p-14, 0x3c00: 1, 0x3c01: 1 + 0x1p-10, 0x7bff: 65504, 0xc000: -2} {
		if got := Widen(h); got != want {
			t.Errorf("%#04x widens to %v, want %v", h, got, want)
		}
	}
}
