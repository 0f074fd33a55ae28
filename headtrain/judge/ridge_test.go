package judge

import (
	"math"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/team"
)

// The ridge solves the normal equations, which a check needs no library for.
func TestRidgeIsTheMinimum(t *testing.T) {
	train := clusters(150, 12, 3, 1)
	const penalty = 7
	heads, err := fitRidge(t.Context(), labelled.Of((*labelled.Matrix)(train)), []float64{penalty})
	if err != nil {
		t.Fatal(err)
	}
	mean, std := moments(t, train)
	h := heads[0]
	scores := make([]float32, 150*3)
	h.Logits(scores, train.X, 150)
	for c := range 3 {
		for j := range 12 {
			// The derivative of |Xw-y|² + penalty·|w|² by w[j], in standardised
			// features, halved: Σ x·(score-target) + penalty·w.
			slope := penalty * float64(h.W[c*12+j]) * std[j]
			for r, y := range train.Labels {
				target := 0.0
				if int(y) == c {
					target = 1
				}
				slope += (float64(train.X[r*12+j]) - mean[j]) / std[j] * (float64(scores[r*3+c]) - target)
			}
			if !(math.Abs(slope) <= 1e-3) {
				t.Errorf("class %d, feature %d: the slope is %v", c, j, slope)
			}
		}
	}
}

// moments returns the mean and the standard deviation of each feature.
func moments(t *testing.T, d *headtrain.Dataset) (mean, std []float64) {
	one := team.New(1)
	t.Cleanup(one.Close)
	return affine.Moments(labelled.Of((*labelled.Matrix)(d)), one)
}
