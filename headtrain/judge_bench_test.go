package headtrain

import (
	"math/rand/v2"
	"testing"
)

// noise returns n rows of 512 features, ten classes in turn.
func noise(n int) *Dataset {
	r := rand.New(rand.NewPCG(1, 2))
	d := &Dataset{X: make([]float32, n*512), Dim: 512, Labels: make([]int32, n), Classes: classNames(10)}
	for i := range d.X {
		d.X[i] = r.Float32()
	}
	for i := range d.Labels {
		d.Labels[i] = int32(i % 10)
	}
	return d
}

func BenchmarkJudges(b *testing.B) {
	bank, queries := noise(6000), noise(5000)
	head := &Head{Classes: bank.Classes, Dim: 512, W: make([]float32, 5120), B: make([]float32, 10)}
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"neighbours, 6000 × 5000", func() error { _, err := Neighbours(b.Context(), bank, queries, 20); return err }},
		{"whiten 6000", func() error { _, err := Whiten(b.Context(), bank); return err }},
		{"pairs of 6000", func() error { _, _, err := SimilarPairs(b.Context(), bank, 0.9999); return err }},
		{"ridge on 6000, 4 penalties", func() error { _, err := FitRidge(b.Context(), bank, []float64{50, 150, 500, 1500}); return err }},
		{"doubts of 6000", func() error { _, err := DoubtLabels(b.Context(), bank, folds(6000, 5), 5); return err }},
		{"baselines, 6000 and 5000", func() error { _, err := Baselines(b.Context(), bank, nil, queries, head); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
