package probe

import (
	"math"
	"math/rand/v2"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

func TestWhitenedFeaturesAreUncorrelated(t *testing.T) {
	// Two features that say the same and one that says little: after whitening,
	// rows that differ in the little one alone are far apart.
	r := rand.New(rand.NewPCG(1, 1))
	d := &headtrain.Dataset{Dim: 3, Classes: testkit.Names(1)}
	for range 500 {
		a, b := r.NormFloat64(), r.NormFloat64()
		d.X = append(d.X, float32(a), float32(a+0.1*r.NormFloat64()), float32(b))
		d.Labels = append(d.Labels, -1)
	}
	white, err := Whiten(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	var mean [3]float64
	var cov [3][3]float64
	for i := range 500 {
		for j, v := range white.Row(i) {
			mean[j] += float64(v) / 500
			for k, u := range white.Row(i) {
				cov[j][k] += float64(v) * float64(u) / 500
			}
		}
	}
	// With a floor of 1, a direction of variance v has v/(v+1) afterwards: 2/3,
	// 1/2 and, for what the twins differ in, nearly 0.
	trace := cov[0][0] + cov[1][1] + cov[2][2]
	if !(math.Abs(trace-(2.0/3+0.5)) <= 0.02) || !(math.Abs(mean[0])+math.Abs(mean[1])+math.Abs(mean[2]) <= 1e-4) {
		t.Errorf("mean %v, covariance %v", mean, cov)
	}
}
