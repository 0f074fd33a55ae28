package affine_test

import (
	"math"
	"testing"

	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/team"
	"icebox/headtrain/internal/testkit"
)

func TestStandardisedFeaturesHaveMeanZeroAndDeviationOne(t *testing.T) {
	d := testkit.Clusters(500, 30, 4, 3)
	three := team.New(3)
	defer three.Close()
	in := affine.Standardise(labelled.Of(d), three)
	row := make([]float32, d.Dim)
	sum, squares := make([]float64, d.Dim), make([]float64, d.Dim)
	for r := range d.Len() {
		kernel.Portable.Affine(row, d.Row(r), in.AffineMap, 1, nil)
		for j, v := range row {
			sum[j] += float64(v)
			squares[j] += float64(v) * float64(v)
		}
	}
	n := float64(d.Len())
	for j := range sum {
		if !(math.Abs(sum[j]/n) <= 1e-5) || !(math.Abs(squares[j]/n-1) <= 1e-5) {
			t.Errorf("feature %d: mean %v, variance %v", j, sum[j]/n, squares[j]/n)
		}
	}
}
