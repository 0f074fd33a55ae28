//go:build !purego

package kernel

// Available returns the implementations that this machine runs, slowest first. Every arm64
// processor has NEON.
func Available() []ISA { return []ISA{Portable, NEON} }

func (i ISA) affine(dst, x []float32, m AffineMap, rowScale float32, _ []float32) {
	done := 0
	if n := len(x) / 4 * 4; i == NEON && n > 0 {
		affineNEON(&dst[0], &x[0], &m.Mean[0], &m.Scale[0], n, rowScale)
		done = n
	}
	affinePortable(dst[done:], x[done:], AffineMap{m.Mean[done:], m.Scale[done:]}, rowScale)
}

func (ISA) transpose(dst, x []float32, stride, cols int) { transposePortable(dst, x, stride, cols) }

func (i ISA) forward(z, x []float32, xStride int, w []float32, stride, d, cols int, _ *Ahead) {
	if i == Portable || d%Lane != 0 {
		forwardPortable(z, x, xStride, w, stride, d, cols)
		return
	}
	forwardNEON(&z[0], &x[0], &w[0], xStride*4, stride*4, d, cols)
}

func (ISA) gatherForward(_, _ []float32, _ *Rows, _ AffineMap, _ []float32, _, _, _ int, _ *Ahead) (done int) {
	return 0
}

func (i ISA) gradient(g []float32, gStride int, x []float32, xStride int, dz []float32, dzStride, rows, cols int, fresh bool, _ *Ahead) {
	if i == Portable {
		gradientPortable(g, gStride, x, xStride, dz, dzStride, rows, cols, fresh)
		return
	}
	anew := 0
	if fresh {
		anew = 1
	}
	c := 0
	for ; c+2 <= cols; c += 2 {
		gradient2NEON(&g[c*gStride], &x[0], &dz[c*Block], gStride*4, xStride*4, dzStride*4, rows, anew)
	}
	if c < cols {
		gradientNEON(&g[c*gStride], &x[0], &dz[c*Block], gStride*4, xStride*4, dzStride*4, rows, anew)
	}
}

func (ISA) bias(g []float32, gStride int, dz []float32, dzStride, blocks, cols int) {
	biasPortable(g, gStride, dz, dzStride, blocks, cols)
}

func (ISA) softmax(z []float32, classes int, labels *[Block]int32, t *LossTable, out *Judged, learn bool) {
	softmaxPortable(z, classes, labels, t, out, learn)
}

func (ISA) sum(dst, src []float32, stride, n int, fresh bool) {
	sumPortable(dst, src, stride, n, fresh)
}

func (ISA) lerp(dst, src []float32, share float32) { lerpPortable(dst, src, share) }

func (ISA) prefetch([]float32) {}

func (i ISA) peak(rounds int) (flops float64) {
	if i == Portable {
		return peakPortable(rounds)
	}
	peakNEON(rounds)
	return float64(rounds) * 24 * 4 * 2
}

func (i ISA) adam(w, m, v, g []float32, s *AdamStep) {
	if i == Portable {
		adamPortable(w, m, v, g, s)
		return
	}
	adamNEON(&w[0], &m[0], &v[0], &g[0], len(w), s)
}

func (ISA) sgd(w, m, g []float32, s *SGDStep) { sgdPortable(w, m, g, s) }
