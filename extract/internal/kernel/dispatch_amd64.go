//go:build !purego

package kernel

import (
	"slices"
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

// HasBF16 reports whether this machine multiplies numbers in bfloat16 with i. Portable code
// does so anywhere, slowly.
func HasBF16(i isa.ISA) bool {
	return i == isa.Portable || i == isa.AVX512 && slices.Contains(Available(), i) && cpu.X86.HasAVX512BF16
}

const (
	floatBytes = 4
	bf16Bytes  = 2
)

func (g *GEMM) run(i isa.ISA) {
	if i == isa.Portable {
		gemmPortable(g)
		return
	}
	blocks := (g.Rows + Rows(i) - 1) / Rows(i)
	rows := (g.Rows + blocks - 1) / blocks
	size := g.sizeA()
	a := gemmArgs{
		c:   &g.C[0],
		lda: g.LDA * size, ldc: g.LDC * floatBytes,
		aPlane: g.APlane * size, cPlane: g.CPlane * floatBytes,
		k: g.K * size / floatBytes, kBytes: g.K * size,
		planes: g.Planes, panels: g.Columns / Panel(i), panelBytes: g.K * Panel(i) * g.size(),
		blocks: blocks, blockRows: rows, small: blocks*rows - g.Rows,
		fetchStep: (64 + blocks - 1) / blocks,
	}
	if g.Accumulate {
		a.accumulate = 1
	}
	g.point(&a)
	a.next = uintptr(a.b) + uintptr(a.planes*a.panels*a.panelBytes)
	if g.Next != 0 {
		a.next = uintptr(a.b) + uintptr(g.Next*g.size())
	}
	switch {
	case g.BF16 != nil:
		gemmBF16AVX512(&a)
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

// point sets the operands.
func (g *GEMM) point(a *gemmArgs) {
	switch {
	case g.BF16 != nil:
		a.a, a.b = unsafe.Pointer(&g.ABF16[0]), unsafe.Pointer(&g.BF16[0])
	case g.Half != nil:
		a.a, a.b = unsafe.Pointer(&g.A[0]), unsafe.Pointer(&g.Half[0])
	default:
		a.a, a.b = unsafe.Pointer(&g.A[0]), unsafe.Pointer(&g.B[0])
	}
}

func (in *Input) run(i isa.ISA) {
	if i == isa.Portable {
		inputPortable(in)
		return
	}
	s := in.Scheme.shape()
	a := inputArgs{
		src: &in.Src[0], scratch: &in.Scratch[0],
		pixel: in.Pixel * floatBytes, row: in.Row * floatBytes,
		srcStep: (s.step()*in.Pixel - in.Channels) * floatBytes,
		tiles:   in.Tiles, channels: in.Channels * floatBytes,
	}
	size := floatBytes
	if in.BF16 != nil {
		size, a.dst = bf16Bytes, unsafe.Pointer(&in.BF16[0])
	} else {
		a.dst = unsafe.Pointer(&in.Dst[0])
	}
	a.dstStep, a.plane, a.gridRow = (in.Width-in.Channels)*size, in.Plane*size, s.points*in.Plane*size
	switch {
	case in.BF16 != nil:
		inputBF16AVX512(in.Scheme, &a)
	case i == isa.AVX512:
		inputAVX512(in.Scheme, &a)
	default:
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

func inputBF16AVX512(s Scheme, a *inputArgs) {
	switch s {
	case F23:
		inputF4BF16AVX512(a)
	case F13S2:
		inputF1S2BF16AVX512(a)
	case B43:
		inputF6PBF16AVX512(a)
	case B42S2:
		inputF5S2PBF16AVX512(a)
	default:
		inputF1BF16AVX512(a)
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
	case s == F13S2 || s == F11S2:
		outputF1AVX512(a)
	case s == B43 && residual:
		outputF6PAddAVX512(a)
	case s == B43:
		outputF6PAVX512(a)
	case s == B42S2:
		outputF5PAVX512(a)
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

func fma(i isa.ISA, bf16 bool, steps int) (flops int) {
	const chains = 12
	a := fmaArgs{steps: steps}
	switch {
	case bf16 && i == isa.AVX512 && HasBF16(i):
		dotAVX512(&a)
		return steps * chains * 2 * 32
	case bf16:
		return 0
	case i == isa.AVX512:
		fmaAVX512(&a)
		return steps * chains * 2 * 16
	case i == isa.AVX2:
		fmaAVX2(&a)
		return steps * chains * 2 * 8
	default:
		return 0
	}
}
