package resnet

import (
	"errors"
	"fmt"
	"testing"

	"icebox/extract/internal/kernel"
)

func BenchmarkForward(b *testing.B) {
	weights := recipeWeights()
	for _, on := range kernel.Available() {
		for _, precision := range []string{FP32, BF16} {
			net, err := New(weights, Options{LUT: recipeLUT(), ISA: on.String(), Precision: precision})
			if errors.Is(err, ErrPrecision) {
				continue
			}
			if err != nil {
				b.Fatal(err)
			}
			ws := net.NewWorkspace()
			for _, batch := range []int{1, 16} {
				var pixels []uint8
				for i := range batch {
					pixels = append(pixels, recipeImage(i)...)
				}
				features := make([]float32, batch*Dim)
				b.Run(fmt.Sprintf("%s/%s/batch=%d", on, precision, batch), func(b *testing.B) {
					net.Forward(ws, features, pixels, batch)
					for b.Loop() {
						net.Forward(ws, features, pixels, batch)
					}
					b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "images/s")
				})
			}
		}
	}
}

func BenchmarkNew(b *testing.B) {
	weights := recipeWeights()
	for b.Loop() {
		if _, err := New(weights, Options{LUT: recipeLUT()}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReference(b *testing.B) {
	weights, lut, pixels := recipeWeights(), recipeLUT(), recipeImage(0)
	for b.Loop() {
		Reference(weights, lut, pixels)
	}
}
