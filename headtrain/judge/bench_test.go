package judge

import (
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/testkit"
)

func BenchmarkJudges(b *testing.B) {
	bank, queries := testkit.Noise(6000), testkit.Noise(5000)
	head := &headtrain.Head{Classes: bank.Classes, Dim: 512, W: make([]float32, 5120), B: make([]float32, 10)}
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"neighbours, 6000 × 5000", func() error { _, err := neighbours(b.Context(), bank, queries, 20); return err }},
		{"ridge on 6000, 4 penalties", func() error {
			_, err := fitRidge(b.Context(), labelled.Of(bank), []float64{50, 150, 500, 1500})
			return err
		}},
		{"baselines, 6000 and 5000", func() error {
			_, err := Baselines(b.Context(), (*headtrain.Dataset)(bank), nil, (*headtrain.Dataset)(queries), head)
			return err
		}},
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
