package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// phase is a subset of the rows (or columns) of a tile that one transform takes.
type phase struct {
	first, every, inputs, points int
}

// inputScheme is a two-dimensional input transform.
type inputScheme struct {
	name      string
	size      int // of a tile
	points    int // of a plane grid
	phases    []phase
	transform func(lanes[vec], []vec) []vec
	constants []float32
	planes    planes
}

// planes are the types of planes that an input transform is wanted for.
type planes struct{ float, bf16 bool }

var (
	floatPlanes = planes{float: true}
	bf16Planes  = planes{bf16: true}
	bothPlanes  = planes{true, true}
)

var inputSchemes = []inputScheme{
	{"inputF4", 4, 4, []phase{{0, 1, 4, 4}}, input4[vec], nil, bothPlanes},
	{"inputF6", 6, 6, []phase{{0, 1, 6, 6}}, input6[vec], []float32{-4, -5, 2, -2, 4}, floatPlanes},
	{"inputF7", 7, 7, []phase{{0, 1, 7, 7}}, input7[vec], []float32{-4, 2, -3, 3, -5, -0.5}, floatPlanes},
	{"inputF9", 9, 9, []phase{{0, 1, 9, 9}}, input9[vec], []float32{-5, 4, -0.3125, 0.015625, -0.0625, -0.25, -4, 2, -2, 0.5, -0.5, 0.25}, floatPlanes},
	{"inputF5S2", 9, 5, []phase{{0, 2, 5, 5}, {1, 2, 4, 4}}, input5[vec], []float32{2, -3, -2}, floatPlanes},
	{"inputF1S2", 3, 1, []phase{{0, 1, 1, 1}, {1, 1, 1, 1}, {2, 1, 1, 1}}, same[vec], nil, bothPlanes},
	{"inputF1", 1, 1, []phase{{0, 1, 1, 1}}, same[vec], nil, bf16Planes},
	{"inputF6P", 6, 6, []phase{{0, 1, 6, 6}}, pairs43.input, pairs43.inputConstants(), bf16Planes},
	{"inputF5S2P", 9, 5, []phase{{0, 2, 5, 5}, {1, 2, 4, 4}}, pairs42.input, pairs42.inputConstants(), bf16Planes},
}

func inputs(a *assembler) {
	for _, s := range inputSchemes {
		if s.planes.float {
			in := inputTile{assembler: a, inputScheme: s}
			in.emit()
		}
	}
	for _, s := range inputSchemes {
		if s.planes.bf16 && a.isa.bf16 {
			s.name += "BF16"
			in := inputTile{assembler: a, inputScheme: s, bf16: true}
			in.emit()
		}
	}
}

// inputTile emits one input transform: rows of a tile into scratch, then columns
// of scratch to the planes.
type inputTile struct {
	*assembler
	inputScheme
	bf16                        bool // the planes are in bfloat16
	src, dst, scratch, channels reg.GPVirtual
}

func (t *inputTile) emit() {
	t.function(t.name, "inputArgs", "for tile { for vector of channels { planes = Bᵀ·pixels·B } }")
	t.keep(t.constants...)
	t.scratch = t.load("scratch")
	t.src, t.dst, t.channels = t.load("src"), t.load("dst"), t.load("channels")
	t.Label("tile")
	t.MOVQ(t.arg("channels"), t.channels)
	t.Label("channel")
	t.rows()
	t.columns()
	t.ADDQ(operand.U8(t.isa.bytes), t.src)
	t.ADDQ(operand.U8(t.planeBytes(t.isa.bytes)), t.dst)
	t.SUBQ(operand.U8(t.isa.bytes), t.channels)
	t.JNE(operand.LabelRef("channel"))
	t.ADDQ(t.arg("srcStep"), t.src)
	t.ADDQ(t.arg("dstStep"), t.dst)
	t.DECQ(t.arg("tiles"))
	t.JNE(operand.LabelRef("tile"))
	t.VZEROUPPER()
	t.RET()
}

// multiples holds 1, 3, 5, 7 times a stride, so that 0 … 9 times can be addressed.
type multiples [4]reg.GPVirtual

func (a *assembler) multiplesOf(field string, most int) multiples {
	var m multiples
	m[0] = a.load(field)
	for i := 1; 2*i+1 <= most; i++ {
		m[i] = a.GP64()
		a.LEAQ(operand.Mem{Base: m[i-1], Index: m[0], Scale: 2}, m[i])
	}
	return m
}

// times addresses base + n strides.
func (m multiples) times(base reg.Register, n int) operand.Mem {
	scale := 1
	for n > 0 && n%2 == 0 && scale < 8 {
		n, scale = n/2, scale*2
	}
	if n == 0 {
		return operand.Mem{Base: base}
	}
	return operand.Mem{Base: base, Index: m[n/2], Scale: uint8(scale)}
}

// rows emits scratch[y][phase, point] = Bᵀ over the pixels of row y. It fetches the pixels that
// follow.
func (t *inputTile) rows() {
	pixel := t.multiplesOf("pixel", t.size-1)
	row, ahead := t.GP64(), t.ahead(t.src, t.channels, "srcStep")
	t.MOVQ(t.src, row)
	for y := range t.size {
		t.Comment(fmt.Sprintf("row %d", y))
		column := 0
		for _, p := range t.phases {
			var d []vec
			for i := range p.inputs {
				d = append(d, t.read(pixel.times(row, p.first+i*p.every)))
				t.PREFETCHT0(pixel.times(ahead, p.first+i*p.every))
			}
			for _, v := range t.transform(t.assembler, d)[:p.points] {
				t.VMOVUPS(v, t.cell(y, column))
				column++
			}
		}
		if y < t.size-1 {
			t.ADDQ(t.arg("row"), row)
			t.ADDQ(t.arg("row"), ahead)
		}
	}
}

// columns emits plane[i][j] = Bᵀ over the columns of scratch. With two phases each
// way, a plane's row has a slot for each pair (row phase, column phase) that has a
// point there, in order.
func (t *inputTile) columns() {
	gridRow := t.multiplesOf("gridRow", t.points-1)
	column := 0
	for q, across := range t.phases {
		first := t.GP64()
		t.MOVQ(t.dst, first)
		for j := range across.points {
			for p, down := range t.phases {
				t.Comment(fmt.Sprintf("column %d, phases %d %d", j, p, q))
				var d []vec
				for i := range down.inputs {
					d = append(d, t.read(t.cell(down.first+i*down.every, column)))
				}
				base := reg.Register(first)
				if slot := t.slot(p, q, j); slot > 0 {
					moved := t.GP64()
					t.IMUL3Q(operand.U8(slot), t.arg("channels"), moved)
					if t.bf16 {
						t.SHRQ(operand.U8(1), moved)
					}
					t.ADDQ(first, moved)
					base = moved
				}
				for i, v := range t.transform(t.assembler, d)[:down.points] {
					t.store(v, gridRow.times(base, i))
				}
			}
			column++
			t.ADDQ(t.arg("plane"), first)
		}
	}
}

// planeBytes is the size in a plane of so many bytes of floats.
func (t *inputTile) planeBytes(floats int) int {
	if t.bf16 {
		return floats / 2
	}
	return floats
}

// store emits plane = v.
func (t *inputTile) store(v vec, plane operand.Mem) {
	if t.bf16 {
		v = t.bfloat16(v)
	}
	t.VMOVUPS(v, plane)
}

// slot counts the phase pairs before (p, q) that have a point in column j.
func (t *inputTile) slot(p, q, j int) int {
	n := 0
	for a := range t.phases {
		for b, across := range t.phases {
			if a == p && b == q {
				return n
			}
			if j < across.points {
				n++
			}
		}
	}
	return n
}

// cell is a vector of scratch.
func (t *inputTile) cell(y, column int) operand.Mem {
	return at(t.scratch, (y*t.size+column)*t.isa.bytes)
}
