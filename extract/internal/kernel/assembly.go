//go:build (amd64 || arm64) && !purego

package kernel

import (
	"unsafe"

	"icebox/extract/internal/isa"
)

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
	gemmAssembly(i, g, &a)
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
	inputAssembly(i, in, &a)
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
	outputAssembly(i, out.Scheme, out.Residual, &a)
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
	maxPoolAssembly(i, &a)
}
