//go:build (amd64 || arm64) && !purego

package kernel

import (
	"unsafe"

	"icebox/extract/internal/isa"
)

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
	gemmAssembly(i, g.Half != nil, &a)
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
	inputAssembly(i, in.Scheme, &a)
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
