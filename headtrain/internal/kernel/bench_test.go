package kernel

import (
	"math/rand/v2"
	"testing"
)

func benchEach(b *testing.B, flops, bytes int, f func(isa ISA)) {
	for _, isa := range Available() {
		b.Run(isa.String(), func(b *testing.B) {
			b.SetBytes(int64(bytes))
			for b.Loop() {
				f(isa)
			}
			if flops > 0 {
				b.ReportMetric(float64(flops)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			}
		})
	}
}

const benchRows, benchDim = 256, 512

func benchMatrices(b *testing.B) (v vectors, x, z Matrix) {
	v = vectors{t: b, r: rand.New(rand.NewPCG(1, 1))}
	return v, v.matrix(benchRows, benchDim, Rows(benchDim)), v.matrix(benchRows, Lane, Lane)
}

func BenchmarkForward(b *testing.B) {
	v, x, z := benchMatrices(b)
	params := v.floats(ParamLen(benchDim, Lane))
	benchEach(b, 2*benchRows*benchDim*Lane, 4*benchRows*benchDim, func(isa ISA) { isa.Forward(z, x, params) })
}

func BenchmarkGradient(b *testing.B) {
	v, x, z := benchMatrices(b)
	g := v.floats(Lane * Lane)
	benchEach(b, 2*benchRows*benchDim*Lane, 4*benchRows*benchDim, func(isa ISA) {
		for j := 0; j < benchDim; j += Lane {
			isa.Gradient(g, x, z, j, 0)
		}
	})
}

func BenchmarkExp(b *testing.B) {
	v, _, z := benchMatrices(b)
	e := v.matrix(benchRows, Lane, Lane)
	top, sum := v.floats(benchRows), v.floats(benchRows)
	benchEach(b, 0, 4*benchRows*Lane, func(isa ISA) { isa.Exp(e, z, top, sum) })
}

func BenchmarkAffine(b *testing.B) {
	v, x, _ := benchMatrices(b)
	dst, m := v.floats(benchDim), AffineMap{v.floats(benchDim), v.floats(benchDim)}
	benchEach(b, 0, 4*benchDim, func(isa ISA) { isa.Affine(dst, x.Row(0), m, 1, nil) })
}

func BenchmarkAdam(b *testing.B) {
	v, _, _ := benchMatrices(b)
	n := ParamLen(benchDim, Lane)
	w, m, s, g := v.floats(n), v.floats(n), v.positive(n), v.floats(n)
	step := &AdamStep{Decay: 1, KeepM: 0.1, Beta2: 0.999, KeepV: 0.001, InvRoot: 1, Eps: 1e-8, Rate: 1e-3}
	benchEach(b, 0, 16*n, func(isa ISA) { isa.Adam(w, m, s, g, step) })
}

func BenchmarkSGD(b *testing.B) {
	v, _, _ := benchMatrices(b)
	n := ParamLen(benchDim, Lane)
	w, m, g := v.floats(n), v.floats(n), v.floats(n)
	benchEach(b, 0, 12*n, func(isa ISA) { isa.SGD(w, m, g, &SGDStep{Momentum: 0.9, OfBuffer: 1, Rate: 1e-3}) })
}
