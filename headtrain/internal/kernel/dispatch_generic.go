//go:build purego || (!amd64 && !arm64)

package kernel

// Available returns the implementations that this machine runs, slowest first.
func Available() []ISA { return []ISA{Portable} }

func (ISA) affine(dst, x []float32, m AffineMap, rowScale float32, _ []float32) {
	affinePortable(dst, x, m, rowScale)
}

func (ISA) transpose(dst, x []float32, stride, cols int) { transposePortable(dst, x, stride, cols) }

func (ISA) forward(z, x []float32, xStride int, w []float32, stride, d, cols int, _ *Ahead) {
	forwardPortable(z, x, xStride, w, stride, d, cols)
}

func (ISA) gatherForward(_, _ []float32, _ *Rows, _ AffineMap, _ []float32, _, _, _ int, _ *Ahead) (done int) {
	return 0
}

func (ISA) gradient(g []float32, gStride int, x []float32, xStride int, dz []float32, dzStride, rows, cols int, fresh bool, _ *Ahead) {
	gradientPortable(g, gStride, x, xStride, dz, dzStride, rows, cols, fresh)
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

func (ISA) peak(rounds int) (flops float64) { return peakPortable(rounds) }

func (ISA) adam(w, m, v, g []float32, s *AdamStep) { adamPortable(w, m, v, g, s) }

func (ISA) sgd(w, m, g []float32, s *SGDStep) { sgdPortable(w, m, g, s) }
