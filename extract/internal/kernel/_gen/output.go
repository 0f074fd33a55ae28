package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// outputScheme is a two-dimensional output transform.
type outputScheme struct {
	name            string
	points, outputs int
	transform       func(lanes[vec], []vec) []vec
	constants       []float32 // to be kept in registers
	residual        bool
	bf16            bool      // for planes of which the input was in bfloat16
	more            []float32 // constants that AVX-512 reads from memory
}

var outputSchemes = []outputScheme{
	{"outputF4", 4, 2, output4to2[vec], nil, false, false, nil},
	{"outputF4Add", 4, 2, output4to2[vec], nil, true, false, nil},
	{"outputF6", 6, 4, output6to4[vec], []float32{2, 4, 8}, false, false, nil},
	{"outputF6Add", 6, 4, output6to4[vec], []float32{2, 4, 8}, true, false, nil},
	{"outputF7", 7, 4, output7to4[vec], []float32{2, 4, 8, 0.5, 0.25, 0.125}, false, false, nil},
	{"outputF9", 9, 7, output9to7[vec], []float32{2, 4, 8, 16, 0.5, 0.25, 0.125, 0.0625}, false, false, powers9},
	{"outputF9Add", 9, 7, output9to7[vec], []float32{2, 4, 8, 16, 0.5, 0.25, 0.125, 0.0625}, true, false, powers9},
	{"outputF5", 5, 4, output5to4[vec], []float32{2, 4, 8}, false, false, nil},
	{"outputF1", 1, 1, same[vec], nil, false, false, nil},
	{"outputF6P", 6, 4, pairs43.output, pairs43.outputConstants(), false, true, nil},
	{"outputF6PAdd", 6, 4, pairs43.output, pairs43.outputConstants(), true, true, nil},
	{"outputF5P", 5, 4, pairs42.output, pairs42.outputConstants(), false, true, nil},
}

var powers9 = []float32{32, 64, 1. / 32, 1. / 64, 1. / 256, 1. / 1024, 1. / 4096}

func outputs(a *assembler) {
	for _, s := range outputSchemes {
		if !s.bf16 || a.isa.bf16 {
			out := outputTile{assembler: a, outputScheme: s}
			out.emit()
		}
	}
}

// outputTile emits one output transform: rows of the grid of planes into scratch,
// then columns of scratch to the pixels, as many as are valid.
type outputTile struct {
	*assembler
	outputScheme
	m, out, bias, scratch, channels, columns reg.GPVirtual
	zeroes                                   vec
}

func (t *outputTile) emit() {
	doc := "for tile { for vector of channels { pixels = max(Aᵀ·planes·A + bias, 0) } }"
	if t.residual {
		doc = "for tile { for vector of channels { pixels = max((Aᵀ·planes·A + bias) + pixels, 0) } }"
	}
	t.function(t.name, "outputArgs", doc)
	t.keep(t.constants...)
	t.scratch, t.m, t.out = t.load("scratch"), t.load("m"), t.load("out")
	t.zeroes = t.zero()
	t.bias, t.channels, t.columns = t.GP64(), t.GP64(), t.GP64()
	t.Label("tile")
	t.Comment("only the last tile may be cut short")
	t.MOVQ(operand.U32(t.outputs), t.columns)
	t.CMPQ(t.arg("tiles"), operand.U8(1))
	t.JNE(operand.LabelRef("full"))
	t.MOVQ(t.arg("lastColumns"), t.columns)
	t.Label("full")
	t.MOVQ(t.arg("bias"), t.bias)
	t.MOVQ(t.arg("channels"), t.channels)
	t.Label("channel")
	t.rows()
	t.pixels()
	for _, p := range []reg.GPVirtual{t.m, t.out, t.bias} {
		t.ADDQ(operand.U8(t.isa.bytes), p)
	}
	t.SUBQ(operand.U8(t.isa.bytes), t.channels)
	t.JNE(operand.LabelRef("channel"))
	t.Comment("the rows of a plane follow each other: m is at the next tile already")
	t.ADDQ(t.arg("outStep"), t.out)
	t.DECQ(t.arg("tiles"))
	t.JNE(operand.LabelRef("tile"))
	t.VZEROUPPER()
	t.RET()
}

// rows emits scratch[i][x] = Aᵀ over row i of the grid.
func (t *outputTile) rows() {
	plane := t.multiplesOf("plane", t.points-1)
	row := t.GP64()
	t.MOVQ(t.m, row)
	for i := range t.points {
		t.Comment(fmt.Sprintf("grid row %d", i))
		var m []vec
		for j := range t.points {
			m = append(m, t.read(plane.times(row, j)))
		}
		for x, v := range t.transform(t.assembler, m) {
			t.VMOVUPS(v, t.cell(i, x))
		}
		if i < t.points-1 {
			t.ADDQ(t.arg("gridRow"), row)
		}
	}
}

// pixels emits column x of the pixels from column x of scratch. It fetches the pixels that
// follow: they are far from the last ones, and mostly out of the cache.
func (t *outputTile) pixels() {
	pitch := t.multiplesOf("row", t.outputs-1)
	valid := t.load("rows")
	bias := t.read(at(t.bias, 0))
	pixel, ahead := t.GP64(), t.ahead(t.out, t.channels, "outStep")
	t.MOVQ(t.out, pixel)
	done := t.newLabel("done")
	for x := range t.outputs {
		t.Comment(fmt.Sprintf("column %d", x))
		if x > 0 {
			t.CMPQ(t.columns, operand.U8(x))
			t.JLE(operand.LabelRef(done))
			t.ADDQ(t.arg("pixel"), pixel)
			t.ADDQ(t.arg("pixel"), ahead)
		}
		var m []vec
		for i := range t.points {
			m = append(m, t.read(t.cell(i, x)))
		}
		next := t.newLabel("column")
		for y, v := range t.transform(t.assembler, m) {
			if y > 0 {
				t.CMPQ(valid, operand.U8(y))
				t.JLE(operand.LabelRef(next))
			}
			to := pitch.times(pixel, y)
			v = t.add(v, bias)
			if t.residual {
				t.VADDPS(to, v, v)
			}
			t.VMAXPS(v, t.zeroes, v)
			t.VMOVUPS(v, to)
			t.PREFETCHT0(pitch.times(ahead, y))
		}
		t.Label(next)
	}
	t.Label(done)
}

// cell is a vector of scratch.
func (t *outputTile) cell(i, x int) operand.Mem {
	return at(t.scratch, (i*t.outputs+x)*t.isa.bytes)
}
