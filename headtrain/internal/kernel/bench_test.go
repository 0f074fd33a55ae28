package kernel

import (
	"fmt"
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

const benchDim, benchClasses = 512, 640

func newBench(b *testing.B) vectors { return vectors{t: b, r: rand.New(rand.NewPCG(1, 1))} }

func BenchmarkPeak(b *testing.B) {
	for _, isa := range Available() {
		b.Run(isa.String(), func(b *testing.B) {
			flops := 0.0
			for b.Loop() {
				flops += isa.Peak(1000)
			}
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkForward(b *testing.B) {
	for _, k := range []int{2, 10, benchClasses} {
		b.Run(fmt.Sprint("classes=", k), func(b *testing.B) {
			v, stride := newBench(b), Stride(benchDim)
			x, w, z := v.floats(Block*stride), v.floats(k*stride), v.floats(k*Block)
			benchEach(b, 2*Block*benchDim*k, 0, func(isa ISA) { isa.Forward(z, x, stride, w, stride, benchDim, k, nil) })
		})
	}
}

func BenchmarkGatherForward(b *testing.B) {
	v, stride, k := newBench(b), Stride(benchDim), 10
	x, w, z := v.floats(Block*stride), v.floats(k*stride), v.floats(k*Block)
	r, m := v.rows(benchDim)
	benchEach(b, 2*Block*benchDim*k, 0, func(isa ISA) { isa.GatherForward(z, x, &r, m, w, stride, benchDim, k, nil) })
}

func BenchmarkGradient(b *testing.B) {
	for _, k := range []int{2, 10, 40} {
		b.Run(fmt.Sprint("classes=", k), func(b *testing.B) {
			v, stride := newBench(b), Stride(benchDim)
			x, g, dz := v.floats(ChunkRows*stride), v.floats(k*stride), v.floats(ChunkRows*k)
			benchEach(b, 2*ChunkRows*benchDim*k, 0, func(isa ISA) {
				for f := 0; f < benchDim; f += Block {
					isa.Gradient(g[f:], stride, x[f:], stride, dz, Block*k, ChunkRows, k, true, nil)
				}
			})
		})
	}
}

func BenchmarkSoftmax(b *testing.B) {
	v, k := newBench(b), 10
	z, e := v.floats(k*Block), v.floats(k*Block)
	table := &LossTable{v.floats(k), v.floats(k), v.floats(k), 0}
	benchEach(b, 0, 4*k*Block, func(isa ISA) {
		copy(e, z)
		isa.Softmax(e, k, new([Block]int32), table, new(Judged), true)
	})
}

func BenchmarkTranspose(b *testing.B) {
	v, stride := newBench(b), Stride(benchDim)
	x, dst := v.floats(Block*stride), v.floats(Block*benchDim)
	benchEach(b, 0, 4*Block*benchDim, func(isa ISA) { isa.Transpose(dst, x, stride, benchDim) })
}

func BenchmarkAffine(b *testing.B) {
	v := newBench(b)
	x, dst, m := v.floats(benchDim), v.floats(benchDim), AffineMap{v.floats(benchDim), v.floats(benchDim)}
	benchEach(b, 0, 4*benchDim, func(isa ISA) { isa.Affine(dst, x, m, 1, nil) })
}

func BenchmarkAdam(b *testing.B) {
	v, n := newBench(b), 10*Stride(benchDim)
	w, m, s, g := v.floats(n), v.floats(n), v.positive(n), v.floats(n)
	step := &AdamStep{Decay: 1, KeepM: 0.1, Beta2: 0.999, KeepV: 0.001, InvRoot: 1, Eps: 1e-8, Rate: 1e-3}
	benchEach(b, 0, 16*n, func(isa ISA) { isa.Adam(w, m, s, g, step) })
}

func BenchmarkSGD(b *testing.B) {
	v, n := newBench(b), 10*Stride(benchDim)
	w, m, g := v.floats(n), v.floats(n), v.floats(n)
	benchEach(b, 0, 12*n, func(isa ISA) { isa.SGD(w, m, g, &SGDStep{Momentum: 0.9, OfBuffer: 1, Rate: 1e-3}) })
}
