//go:build !purego

package kernel

import "math"

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
	c, anew := 0, anew(fresh)
	for ; c+2 <= cols; c += 2 {
		gradient2NEON(&g[c*gStride], &x[0], &dz[c*Block], gStride*4, xStride*4, dzStride*4, rows, anew)
	}
	if c < cols {
		gradientNEON(&g[c*gStride], &x[0], &dz[c*Block], gStride*4, xStride*4, dzStride*4, rows, anew)
	}
}

// anew is 1 where what is in memory does not count.
func anew(fresh bool) int {
	if fresh {
		return 1
	}
	return 0
}

func (i ISA) bias(g []float32, gStride int, dz []float32, dzStride, blocks, cols int) {
	if i == Portable {
		biasPortable(g, gStride, dz, dzStride, blocks, cols)
		return
	}
	biasNEON(&g[0], &dz[0], gStride*4, dzStride*4, blocks, cols)
}

// softmaxTerms are the constants of exp32 and log32, in the order in which softmaxNEON loads
// them.
var softmaxTerms = [...]float32{
	log2E, shift, ln2High, ln2Low, expCutoff, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1,
	math.Float32frombits(rootHalf), logTerm4, logTerm2, logTerm3, logTerm1, logLn2Lo, logLn2Hi,
}

func (i ISA) softmax(z []float32, classes int, labels *[Block]int32, t *LossTable, out *Judged, learn bool) {
	if i == Portable {
		softmaxPortable(z, classes, labels, t, out, learn)
		return
	}
	softmaxNEON(&z[0], &labels[0], t, out, &softmaxTerms[0], classes, learn)
}

func (i ISA) sum(dst, src []float32, stride, n int, fresh bool) {
	if i == Portable {
		sumPortable(dst, src, stride, n, fresh)
		return
	}
	sumNEON(&dst[0], &src[0], len(dst), stride*4, n, anew(fresh))
}

func (i ISA) lerp(dst, src []float32, share float32) {
	if i == Portable {
		lerpPortable(dst, src, share)
		return
	}
	lerpNEON(&dst[0], &src[0], len(src), share)
}

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

func (i ISA) sgd(w, m, g []float32, s *SGDStep) {
	if i == Portable {
		sgdPortable(w, m, g, s)
		return
	}
	sgdNEON(&w[0], &m[0], &g[0], len(w), s)
}
