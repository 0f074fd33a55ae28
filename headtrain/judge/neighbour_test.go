package judge

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"icebox/headtrain/internal/testkit"
)

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

// TestNeighboursEqualBruteForce allows for ties alone: a neighbour may be another
// row only if that is as near but for rounding.
func TestNeighboursEqualBruteForce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, k := rapid.IntRange(1, 40).Draw(rt, "features"), rapid.IntRange(1, 25).Draw(rt, "neighbours")
		bank := testkit.Clusters(rapid.IntRange(1, 600).Draw(rt, "rows"), d, 3, 1)
		queries := testkit.Clusters(rapid.IntRange(1, 300).Draw(rt, "queries"), d, 3, 2)
		bank.Labels[0] = 1
		for r := range bank.Labels[1:] {
			if r%7 == 3 {
				bank.Labels[r+1] = -1
			}
		}
		got, err := neighbours(t.Context(), bank, queries, k)
		if err != nil {
			rt.Fatal(err)
		}
		const near = 1e-6
		for q, list := range got {
			listed := map[int]bool{}
			worst := math.Inf(1)
			for _, n := range list {
				c := cosine64(bank.Row(n.Row), queries.Row(q))
				if math.IsNaN(c) {
					c = 0 // a row of zeros
				}
				if listed[n.Row] || bank.Labels[n.Row] < 0 || !(math.Abs(c-n.Cosine) <= 1e-14) || n.Cosine > worst {
					rt.Fatalf("query %d: %+v, whose cosine is %v, after %v", q, n, c, worst)
				}
				listed[n.Row], worst = true, n.Cosine
			}
			for r, y := range bank.Labels {
				if c := cosine64(bank.Row(r), queries.Row(q)); y >= 0 && !listed[r] && (len(list) < k || c > worst+near) {
					rt.Fatalf("query %d: row %d with %v is missing", q, r, c)
				}
			}
		}
	})
}
