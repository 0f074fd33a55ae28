package judge

import (
	"math"
	"testing"
)

// answersOf are n rows of which a alone gets onlyA right and b alone onlyB.
func answersOf(n, onlyA, onlyB int) (a, b []bool) {
	a, b = make([]bool, n), make([]bool, n)
	for i := range n {
		switch {
		case i < onlyA:
			a[i] = true
		case i < onlyA+onlyB:
			b[i] = true
		default:
			a[i] = i%3 > 0
			b[i] = a[i]
		}
	}
	return a, b
}

// The chances are those of scipy.stats.binomtest; the intervals follow the formula of
// Agresti and Min in Python.
func TestPairedComparisonsAgreeWithSciPy(t *testing.T) {
	for _, c := range []struct {
		n, onlyA, onlyB int
		p, low, high    float64
		chance          bool
	}{
		{1000, 55, 77, 0.06717037054890544, -0.0005612018609410553, 0.044473377509643655, true},
		{100, 10, 25, 0.016673847800120715, 0.03535488693246411, 0.25876276012635946, false},
		{20, 3, 0, 0.25, -0.30518508355386587, 0.03245781082659316, true},
		{1000, 300, 360, 0.02157234823197109, 0.009796, 0.109964, false},
		{10, 5, 5, 1, -0.541, 0.541, true},
	} {
		a, b := answersOf(c.n, c.onlyA, c.onlyB)
		got := Compare(a, b)
		near := func(x, y, off float64) bool { return math.Abs(x-y) <= off }
		if got.Rows != c.n || got.OnlyA != c.onlyA || got.OnlyB != c.onlyB || !near(got.P, c.p, 1e-12) || got.ByChance() != c.chance {
			t.Errorf("%+v: got %+v", c, got)
		}
		if !near(got.Difference, float64(c.onlyB-c.onlyA)/float64(c.n), 1e-15) || !near(got.Low, c.low, 1e-3) || !near(got.High, c.high, 1e-3) {
			t.Errorf("%+v: difference %v, from %v to %v", c, got.Difference, got.Low, got.High)
		}
	}
	if got := Compare(nil, nil); got.P != 1 || got.Difference != 0 || got.Low != 0 || got.High != 0 {
		t.Errorf("of no row: %+v", got)
	}
}

func TestChancesOfManyRowsAreFinite(t *testing.T) {
	a, b := answersOf(500_000, 40_000, 90_000)
	if got := Compare(a, b); got.P < 0 || got.P > 1e-100 || math.IsNaN(got.P) {
		t.Errorf("%v", got.P)
	}
	a, b = answersOf(500_000, 65_000, 65_000)
	if got := Compare(a, b); got.P != 1 {
		t.Errorf("%v", got.P)
	}
}
