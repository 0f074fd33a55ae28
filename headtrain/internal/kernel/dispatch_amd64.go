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

func (i ISA) forward(z, x Matrix, params []float32) {
	if i == Portable {
		forwardPortable(z, x, params)
		return
	}
	a := forwardArgs{x: &x.Data[0], features: x.Cols, rows: x.Rows, zBytes: z.Stride * 4, xBytes: x.Stride * 4}
	for c := 0; c < z.Cols; c += Lane {
		a.z, a.w = &z.Data[c], &params[c*Rows(x.Cols)]
		if i == AVX512 {
			forwardAVX512(&a)
		} else {
			forwardAVX2(&a)
		}
	}
}

func (i ISA) gradient(g []float32, x, dz Matrix, j, c int) {
	a := gradientArgs{&g[0], &x.Data[j], &dz.Data[c], x.Stride * 4, dz.Stride * 4, x.Rows, ChunkRows}
	switch i {
	case AVX512:
		gradientAVX512(&a)
	case AVX2:
		gradientAVX2(&a)
	default:
		gradientPortable(g, x, dz, j, c)
	}
}

func (i ISA) exp(e, z Matrix, top, sum []float32) {
	a := expArgs{&e.Data[0], &z.Data[0], &top[0], &sum[0], e.Stride * 4, z.Stride * 4, z.Cols * 4, z.Rows}
	switch i {
	case AVX512:
		expAVX512(&a)
	case AVX2:
		expAVX2(&a)
	default:
		expPortable(e, z, top, sum)
	}
}

func (i ISA) residual(e Matrix, a, q []float32) {
	args := residualArgs{&e.Data[0], &a[0], &q[0], e.Stride * 4, e.Cols * 4, e.Rows}
	switch i {
	case AVX512:
		residualAVX512(&args)
	case AVX2:
		residualAVX2(&args)
	default:
		residualPortable(e, a, q)
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
