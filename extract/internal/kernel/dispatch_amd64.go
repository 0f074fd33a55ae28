//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA {
	all := []isa.ISA{isa.Portable}
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA && x.HasF16C {
		all = append(all, isa.AVX2)
		if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW {
			all = append(all, isa.AVX512)
		}
	}
	return all
}

const floatBytes = 4

func (g *GEMM) run(i isa.ISA) {
	if i == isa.Portable {
		gemmPortable(g)
		return
	}
	blocks := (g.Rows + Rows(i) - 1) / Rows(i)
	rows := (g.Rows + blocks - 1) / blocks
	a := gemmArgs{
		a: &g.A[0], c: &g.C[0],
		lda: g.LDA * floatBytes, ldc: g.LDC * floatBytes,
		aPlane: g.APlane * floatBytes, cPlane: g.CPlane * floatBytes,
		k: g.K, kBytes: g.K * floatBytes,
		planes: g.Planes, panels: g.Columns / Panel(i), panelBytes: g.K * Panel(i) * g.size(),
		blocks: blocks, blockRows: rows, small: blocks*rows - g.Rows,
		fetchStep: (64 + blocks - 1) / blocks,
	}
	if g.Accumulate {
		a.accumulate = 1
	}
	if g.Half != nil {
		a.b = unsafe.Pointer(&g.Half[0])
	} else {
		a.b = unsafe.Pointer(&g.B[0])
	}
	a.next = uintptr(a.b) + uintptr(a.planes*a.panels*a.panelBytes)
	if g.Next != 0 {
		a.next = uintptr(a.b) + uintptr(g.Next*g.size())
	}
	switch {
	case i == isa.AVX512 && g.Half != nil:
		gemmHalfAVX512(&a)
	case i == isa.AVX512:
		gemmAVX512(&a)
	case g.Half != nil:
		gemmHalfAVX2(&a)
	default:
		gemmAVX2(&a)
	}
}

func (in *Input) run(i isa.ISA) {
	if i == isa.Portable {
		inputPortable(in)
		return
	}
	s := in.Scheme.shape()
	a := inputArgs{
		src: &in.Src[0], dst: &in.Dst[0], scratch: &in.Scratch[0],
		pixel: in.Pixel * floatBytes, row: in.Row * floatBytes,
		srcStep: (s.step()*in.Pixel - in.Channels) * floatBytes, dstStep: (in.Width - in.Channels) * floatBytes,
		plane: in.Plane * floatBytes, gridRow: s.points * in.Plane * floatBytes,
		tiles: in.Tiles, channels: in.Channels * floatBytes,
	}
	if i == isa.AVX512 {
		inputAVX512(in.Scheme, &a)
	} else {
		inputAVX2(in.Scheme, &a)
	}
}

func inputAVX512(s Scheme, a *inputArgs) {
	switch s {
	case F23:
		inputF4AVX512(a)
	case F43:
		inputF6AVX512(a)
	case F73:
		inputF9AVX512(a)
	case F42S2:
		inputF5S2AVX512(a)
	case F13S2:
		inputF1S2AVX512(a)
	default:
		inputF7AVX512(a)
	}
}

func inputAVX2(s Scheme, a *inputArgs) {
	switch s {
	case F23:
		inputF4AVX2(a)
	case F43:
		inputF6AVX2(a)
	case F73:
		inputF9AVX2(a)
	case F42S2:
		inputF5S2AVX2(a)
	case F13S2:
		inputF1S2AVX2(a)
	default:
		inputF7AVX2(a)
	}
}

func (out *Output) run(i isa.ISA) {
	if i == isa.Portable {
		outputPortable(out)
		return
	}
	s := out.Scheme.shape()
	a := outputArgs{
		m: &out.M[0], out: &out.Dst[0], bias: &out.Bias[0], scratch: &out.Scratch[0],
		plane: out.Plane * floatBytes, gridRow: s.points * out.Plane * floatBytes,
		pixel: out.Pixel * floatBytes, row: out.Row * floatBytes,
		outStep: (s.outputs*out.Pixel - out.Channels) * floatBytes,
		tiles:   out.Tiles, channels: out.Channels * floatBytes,
		rows: out.Rows, lastColumns: out.LastColumns,
	}
	if i == isa.AVX512 {
		outputAVX512(out.Scheme, out.Residual, &a)
	} else {
		outputAVX2(out.Scheme, out.Residual, &a)
	}
}

func outputAVX512(s Scheme, residual bool, a *outputArgs) {
	switch {
	case s == F23 && residual:
		outputF4AddAVX512(a)
	case s == F23:
		outputF4AVX512(a)
	case s == F43 && residual:
		outputF6AddAVX512(a)
	case s == F43:
		outputF6AVX512(a)
	case s == F73 && residual:
		outputF9AddAVX512(a)
	case s == F73:
		outputF9AVX512(a)
	case s == F44:
		outputF7AVX512(a)
	case s == F13S2:
		outputF1AVX512(a)
	default:
		outputF5AVX512(a)
	}
}

func outputAVX2(s Scheme, residual bool, a *outputArgs) {
	switch {
	case s == F23 && residual:
		outputF4AddAVX2(a)
	case s == F23:
		outputF4AVX2(a)
	case s == F43 && residual:
		outputF6AddAVX2(a)
	case s == F43:
		outputF6AVX2(a)
	case s == F73 && residual:
		outputF9AddAVX2(a)
	case s == F73:
		outputF9AVX2(a)
	case s == F44:
		outputF7AVX2(a)
	case s == F13S2:
		outputF1AVX2(a)
	default:
		outputF5AVX2(a)
	}
}

func (p *Pool) run(i isa.ISA) {
	if i == isa.Portable {
		maxPoolPortable(p)
		return
	}
	a := poolArgs{
		src: &p.Src[0], dst: &p.Dst[0],
		pixel: p.Pixel * floatBytes, row: p.Row * floatBytes,
		srcStep: (2*p.Pixel - p.Channels) * floatBytes,
		pixels:  p.Pixels, channels: p.Channels * floatBytes,
	}
	if i == isa.AVX512 {
		maxPoolAVX512(&a)
	} else {
		maxPoolAVX2(&a)
	}
}

func fma(i isa.ISA, steps int) (flops int) {
	const chains = 12
	a := fmaArgs{steps: steps}
	switch i {
	case isa.AVX512:
		fmaAVX512(&a)
		return steps * chains * 2 * 16
	case isa.AVX2:
		fmaAVX2(&a)
		return steps * chains * 2 * 8
	default:
		return 0
	}
}
