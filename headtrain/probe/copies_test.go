package probe

import (
	"math"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

func TestPairsEqualBruteForce(t *testing.T) {
	d := clusters(400, 30, 5, 3)
	copy(d.Row(7), d.Row(300))
	copy(d.Row(131), d.Row(399))
	const threshold = 0.985
	pairs, total, err := Copies(t.Context(), d, threshold)
	if err != nil {
		t.Fatal(err)
	}
	found := map[[2]int]bool{}
	for i, p := range pairs {
		found[[2]int{p.I, p.J}] = true
		if p.I >= p.J || i > 0 && p.Cosine > pairs[i-1].Cosine {
			t.Errorf("pair %+v is out of order", p)
		}
	}
	want := 0
	for i := range d.Rows() {
		for j := i + 1; j < d.Rows(); j++ {
			c := cosine64(d.Row(i), d.Row(j))
			if c > threshold {
				want++
			}
			if (c > threshold+1e-5) != found[[2]int{i, j}] && !(math.Abs(c-threshold) <= 1e-5) {
				t.Errorf("rows %d and %d have %v: found %v", i, j, c, found[[2]int{i, j}])
			}
		}
	}
	if want < 3 || total != want || total != len(pairs) {
		t.Errorf("%d pairs, %d listed, want %d", total, len(pairs), want)
	}
	if pairs[0].Cosine < 0.99999 || pairs[1].Cosine < 0.99999 {
		t.Errorf("the copies are not first: %+v", pairs[:2])
	}
}

func TestManyCopiesOfARowAreCountedAndNotAllListed(t *testing.T) {
	d := &headtrain.Dataset{X: make([]float32, 300*2), Dim: 2, Labels: make([]int32, 300), Classes: testkit.Names(1)}
	for i := range d.X {
		d.X[i] = 1
	}
	pairs, total, err := Copies(t.Context(), d, 0.9)
	if err != nil || total != 300*299/2 || len(pairs) > 300*pairsOfRow {
		t.Errorf("%d pairs, %d listed, %v", total, len(pairs), err)
	}
}

// cosine64 is the cosine of two rows in float64.
func cosine64(a, b []float32) float64 {
	var ab, aa, bb float64
	for j := range a {
		ab += float64(a[j]) * float64(b[j])
		aa += float64(a[j]) * float64(a[j])
		bb += float64(b[j]) * float64(b[j])
	}
	return ab / math.Sqrt(aa*bb)
}

// The rows that leak are those that Copies finds pairs of across the two sets, in the same
// whitened space.
func TestLeaksAreThePairsAcross(t *testing.T) {
	d := clusters(400, 30, 5, 3)
	const cut = 300
	for i := range 12 {
		copy(d.Row(cut+7*i), d.Row(20*i))
	}
	part := func(lo, hi int) *headtrain.Dataset {
		return &headtrain.Dataset{X: d.X[lo*d.Dim : hi*d.Dim], Dim: d.Dim, Labels: d.Labels[lo:hi], Classes: d.Classes}
	}
	got, err := Leaks(t.Context(), part(0, cut), part(cut, d.Rows()), NearCosine)
	if err != nil {
		t.Fatal(err)
	}
	white, err := Whiten(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for q := cut; q < d.Rows(); q++ {
		for r := range cut {
			if cosine64(white.Row(q), white.Row(r)) >= NearCosine {
				want++
				break
			}
		}
	}
	if got != want || got < 12 || got == d.Rows()-cut {
		t.Errorf("%d rows leak, want %d of %d", got, want, d.Rows()-cut)
	}
}
