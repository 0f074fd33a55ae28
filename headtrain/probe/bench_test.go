package probe

import (
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

func BenchmarkProbes(b *testing.B) {
	d := (*headtrain.Dataset)(testkit.Noise(6000))
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"whiten 6000", func() error { _, err := Whiten(b.Context(), d); return err }},
		{"copies of 6000", func() error { _, _, err := Copies(b.Context(), d, 0.9999); return err }},
		{"labels of 6000", func() error { _, err := Labels(b.Context(), d, folds(6000, 5), 5); return err }},
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
