package kernel

import (
	"fmt"
	"testing"
)

// heap allocates without guard pages.
func heap(_ testing.TB, n int) []float32 { return make([]float32, n) }

// BenchmarkGEMM multiplies in the first-level cache (the most that the loop can do)
// and at the shapes of the four stages; in per cent of what the core does when it
// only multiplies and adds.
func BenchmarkGEMM(b *testing.B) {
	shapes := []struct {
		name                     string
		planes, rows, k, columns int
	}{
		{"cached", 1, 84, 128, 32},
		{"stem", 49, 28, 12, 64},
		{"layer1", 36, 28, 64, 64},
		{"layer2", 36, 49, 128, 128},
		{"layer3", 49, 144, 256, 256},
		{"layer4", 1, 64, 256, 512},
	}
	for _, i := range Available() {
		for _, bf16 := range []bool{false, true} {
			peak, name := Peak(i, bf16), i.String()
			if bf16 {
				if name += "-bf16"; peak == 0 {
					continue
				}
			}
			for _, s := range shapes {
				g := GEMM{
					LDA: s.k, APlane: s.rows * s.k,
					C: make([]float32, s.planes*s.rows*s.columns), LDC: s.columns, CPlane: s.rows * s.columns,
					Planes: s.planes, Rows: s.rows, Columns: s.columns, K: s.k,
				}
				if bf16 {
					g.ABF16, g.BF16 = make([]uint16, s.planes*s.rows*s.k), make([]uint16, s.planes*s.k*s.columns)
				} else {
					g.A, g.B = make([]float32, s.planes*s.rows*s.k), make([]float32, s.planes*s.k*s.columns)
				}
				b.Run(name+"/"+s.name, func(b *testing.B) {
					for b.Loop() {
						g.Run(i)
					}
					flops := 2 * float64(s.planes*s.rows*s.k*s.columns)
					rate := flops * float64(b.N) / b.Elapsed().Seconds()
					b.ReportMetric(rate/1e9, "GFLOP/s")
					if peak > 0 {
						b.ReportMetric(100*rate/peak, "%peak")
					}
				})
			}
		}
	}
}

func BenchmarkInput(b *testing.B) {
	for _, i := range Available() {
		for s := range schemes {
			for name, bf16 := range map[string]bool{i.String(): false, i.String() + "-bf16": true} {
				if !s.shape().runs(i, bf16) {
					continue
				}
				b.Run(fmt.Sprintf("%s/scheme=%d", name, s), func(b *testing.B) {
					c := inputCase{s, 4, 64}
					in := c.build(b, heap)
					if bf16 {
						in.Dst, in.BF16 = nil, make([]uint16, len(in.Dst))
					}
					for b.Loop() {
						in.Run(i)
					}
				})
			}
		}
	}
}

func BenchmarkOutput(b *testing.B) {
	for _, i := range Available() {
		for s := range schemes {
			if sh := s.shape(); !sh.runs(i, !sh.inputs.float) {
				continue
			}
			b.Run(fmt.Sprintf("%s/scheme=%d", i, s), func(b *testing.B) {
				c := outputCase{s, 4, 64, s.Outputs(), s.Outputs(), false}
				out := c.build(b, heap)
				for b.Loop() {
					out.Run(i)
				}
			})
		}
	}
}
