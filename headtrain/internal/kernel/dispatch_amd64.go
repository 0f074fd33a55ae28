//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// Available returns the implementations that this machine runs, slowest first.
func Available() []ISA {
	all := []ISA{Portable}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		all = append(all, AVX2)
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
			all = append(all, AVX512)
		}
	}
	return all
}

func (i ISA) affine(dst, x []float32, m AffineMap, rowScale float32, ahead []float32) {
	if i == Portable {
		affinePortable(dst, x, m, rowScale)
		return
	}
	a := affineArgs{&dst[0], &x[0], &m.Mean[0], &m.Scale[0], &ahead[0], len(x), rowScale}
	if i == AVX512 {
		affineAVX512(&a)
		return
	}
	affineAVX2(&a)
	done := len(x) / 8 * 8
	affinePortable(dst[done:], x[done:], AffineMap{m.Mean[done:], m.Scale[done:]}, rowScale)
}

func (i ISA) transpose(dst, x []float32, stride, cols int) {
	if i == Portable {
		transposePortable(dst, x, stride, cols)
		return
	}
	a := transposeArgs{&dst[0], &x[0], stride * 4, cols}
	transposeAVX2(&a)
}

func (i ISA) forward(z, x []float32, xStride int, w []float32, stride, d, cols int, ahead *Ahead) {
	here := &x[0]
	a := forwardArgs{z: &z[0], x: here, w: &w[0], xBytes: xStride * 4, wBytes: stride * 4, features: d, cols: cols, ahead: ahead.args(&here)}
	switch i {
	case AVX512:
		forwardAVX512(&a)
	case AVX2:
		forwardAVX2(&a)
	default:
		forwardPortable(z, x, xStride, w, stride, d, cols)
	}
	ahead.advance(a.ahead.next)
}

// gatherForward maps all rows and computes the logits of the first classes; it returns
// how many. If that is 0, as for scaled rows, it has done nothing.
func (i ISA) gatherForward(z, x []float32, r *Rows, m AffineMap, w []float32, stride, d, cols int, ahead *Ahead) (done int) {
	if i != AVX512 || r.Scaled {
		return 0
	}
	here := &x[0]
	a := forwardArgs{
		z: &z[0], x: here, w: &w[0], xBytes: stride * 4, wBytes: stride * 4, features: d, cols: min(cols, widest),
		rows: &r.Row[0], mean: &m.Mean[0], scale: &m.Scale[0], ahead: ahead.args(&here),
	}
	gatherForwardAVX512(&a)
	ahead.advance(a.ahead.next)
	return a.cols
}

func (i ISA) gradient(g []float32, gStride int, x []float32, xStride int, dz []float32, dzStride, rows, cols int, fresh bool, ahead *Ahead) {
	here := &x[0]
	a := gradientArgs{&g[0], here, &dz[0], gStride * 4, xStride * 4, dzStride * 4, rows, cols, keep(fresh), ahead.args(&here)}
	switch i {
	case AVX512:
		gradientAVX512(&a)
	case AVX2:
		gradientAVX2(&a)
	default:
		gradientPortable(g, gStride, x, xStride, dz, dzStride, rows, cols, fresh)
	}
	ahead.advance(a.ahead.next)
}

// keep returns the mask of values that are not fresh.
func keep(fresh bool) int32 {
	if fresh {
		return 0
	}
	return -1
}

// args returns the list as the assembly takes it. If nothing is left, it holds `here`.
func (a *Ahead) args(here **float32) aheadArgs {
	if a == nil || a.next >= len(a.pieces)-1 {
		return aheadArgs{here, 0, 0}
	}
	return aheadArgs{&a.pieces[0], a.next, len(a.pieces) - 1}
}

func (a *Ahead) advance(next int) {
	if a != nil && next > a.next {
		a.next = next
	}
}

func (i ISA) bias(g []float32, gStride int, dz []float32, dzStride, blocks, cols int) {
	if i == Portable {
		biasPortable(g, gStride, dz, dzStride, blocks, cols)
		return
	}
	a := biasArgs{&g[0], &dz[0], gStride * 4, dzStride * 4, blocks, cols}
	biasAVX2(&a)
}

func (i ISA) softmax(z []float32, classes int, labels *[Block]int32, t *LossTable, out *Judged, learn bool) {
	a := softmaxArgs{&z[0], &labels[0], &t.Soft[0], &t.Hot[0], &t.Spread[0], out, classes, t.Total, learn}
	switch i {
	case AVX512:
		softmaxAVX512(&a)
	case AVX2:
		softmaxAVX2(&a)
	default:
		softmaxPortable(z, classes, labels, t, out, learn)
	}
}

func (i ISA) sum(dst, src []float32, stride, n int, fresh bool) {
	if i == Portable {
		sumPortable(dst, src, stride, n, fresh)
		return
	}
	a := sumArgs{&dst[0], &src[0], len(dst), stride * 4, n, keep(fresh)}
	sumAVX2(&a)
}

func (i ISA) lerp(dst, src []float32, share float32) {
	if i == Portable {
		lerpPortable(dst, src, share)
		return
	}
	lerpAVX2(&dst[0], &src[0], len(src), share)
}

func (i ISA) prefetch(x []float32) {
	if i != Portable {
		prefetchLines(&x[0], (len(x)+Lane-1)/Lane)
	}
}

func (i ISA) peak(rounds int) (flops float64) {
	switch i {
	case AVX512:
		peakAVX512(rounds)
		return float64(rounds) * 24 * 16 * 2
	case AVX2:
		peakAVX2(rounds)
		return float64(rounds) * 24 * 8 * 2
	default:
		return peakPortable(rounds)
	}
}

func (i ISA) adam(w, m, v, g []float32, s *AdamStep) {
	a := adamArgs{&w[0], &m[0], &v[0], &g[0], len(w) * 4, s}
	switch i {
	case AVX512:
		adamAVX512(&a)
	case AVX2:
		adamAVX2(&a)
	default:
		adamPortable(w, m, v, g, s)
	}
}

func (i ISA) sgd(w, m, g []float32, s *SGDStep) {
	a := sgdArgs{&w[0], &m[0], &g[0], len(w) * 4, s}
	switch i {
	case AVX512:
		sgdAVX512(&a)
	case AVX2:
		sgdAVX2(&a)
	default:
		sgdPortable(w, m, g, s)
	}
}
