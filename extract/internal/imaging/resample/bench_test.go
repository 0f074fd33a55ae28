package resample

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkPass makes 224 pixels of each of 4 rows, or a row of 224 pixels, of a
// number of taps; a MAC is one sample times one weight.
func BenchmarkPass(b *testing.B) {
	const outputs = 224
	for _, i := range Available() {
		for _, taps := range []int{2, 4, 24} {
			f := filterOf(1, outputs, taps, outputs*max(taps/3, 1))
			stride := Stride(f.Reach())
			src := make([]byte, max(Rows*stride, (taps+1)*f.LineStride()))
			dst := make([]byte, Rows*f.LineStride())
			b.Run(fmt.Sprintf("%s/along/%d", i, taps), func(b *testing.B) {
				for b.Loop() {
					Along(i, dst, src, stride, f)
				}
				macs(b, Rows*3*outputs*taps)
			})
			var one Filter
			one.Reset(1, taps)
			one.Add(0, weightsOf(rand.New(rand.NewPCG(1, 1)), taps))
			weights, at := one.Weights(0), make([]int, (taps+1)/2*2)
			for k := range at {
				at[k] = k * f.LineStride()
			}
			b.Run(fmt.Sprintf("%s/across/%d", i, taps), func(b *testing.B) {
				for b.Loop() {
					Across(i, dst[:3*outputs], src, at, weights)
				}
				macs(b, 3*outputs*taps)
			})
		}
	}
}

func macs(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
}
