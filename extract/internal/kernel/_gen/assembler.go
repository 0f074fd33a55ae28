package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is one width of the same code.
type isa struct {
	file, suffix string
	bytes        int  // of a vector
	rows         int  // of a GEMM tile, which is two vectors wide
	keep         bool // enough registers to keep constants in
	bf16         bool // processors of this width may have AVX512-BF16
}

var (
	avx2   = isa{file: "avx2", suffix: "AVX2", bytes: 32, rows: 6}
	avx512 = isa{file: "avx512", suffix: "AVX512", bytes: 64, rows: 14, keep: true, bf16: true}
)

// assembler is avo's context with vectors of the width of an isa.
type assembler struct {
	*build.Context
	isa     isa
	args    string       // the argument struct of the current function
	base    reg.Register // points at it
	label   int
	kept    map[float32]constant
	globals map[float32]operand.Mem
}

// vec is a vector register; its value is written once unless said otherwise.
type vec = reg.VecVirtual

// constant is a vector of equal values, in a register or in memory.
type constant = operand.Op

func (a *assembler) vec() vec {
	if a.isa.bytes == 64 {
		return a.ZMM()
	}
	return a.YMM()
}

// arg is a field of the argument struct, by the names that go_asm.h gives them.
func (a *assembler) arg(field string) operand.Mem {
	return operand.Mem{Symbol: operand.Symbol{Name: a.args + "_" + field}, Base: a.base}
}

// load reads a field into a new register.
func (a *assembler) load(field string) reg.GPVirtual {
	r := a.GP64()
	a.MOVQ(a.arg(field), r)
	return r
}

// newLabel names a place within the function.
func (a *assembler) newLabel(name string) string {
	a.label++
	return fmt.Sprintf("%s%d", name, a.label)
}

// line is the size in bytes of a line of the cache.
const line = 64

// ahead returns where p will be a line later: with the last line of a tile's channels, in the next
// tile, a step on. So many bytes of channels are left.
func (a *assembler) ahead(p, channels reg.GPVirtual, step string) reg.GPVirtual {
	next, inTile := a.GP64(), a.newLabel("inTile")
	a.LEAQ(at(p, line), next)
	a.CMPQ(channels, operand.U8(line))
	a.JG(operand.LabelRef(inTile))
	a.ADDQ(a.arg(step), next)
	a.Label(inTile)
	return next
}

func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }

func (a *assembler) read(m operand.Mem) vec {
	v := a.vec()
	a.VMOVUPS(m, v)
	return v
}

func (a *assembler) zero() vec {
	v := a.vec()
	if a.isa.bytes == 64 {
		a.VPXORD(v, v, v)
	} else {
		a.VXORPS(v, v, v)
	}
	return v
}

func (a *assembler) add(x, y vec) vec {
	z := a.vec()
	a.VADDPS(y, x, z)
	return z
}

func (a *assembler) sub(x, y vec) vec {
	z := a.vec()
	a.VSUBPS(y, x, z)
	return z
}

// scale returns c·x.
func (a *assembler) scale(c float32, x vec) vec {
	z := a.vec()
	a.VMULPS(a.constant(c), x, z)
	return z
}

// fma returns c·x + y with one rounding.
func (a *assembler) fma(c float32, x, y vec) vec {
	z := a.vec()
	a.VMOVAPS(y, z)
	a.VFMADD231PS(a.constant(c), x, z)
	return z
}

// constant returns c in every lane. Functions name all they use with keep first,
// so that no register is first written inside a loop.
func (a *assembler) constant(c float32) constant {
	if k, ok := a.kept[c]; ok {
		return k
	}
	return a.global(c)
}

// keep loads constants into registers for the whole function, where the isa has
// enough of them.
func (a *assembler) keep(values ...float32) {
	for _, c := range values {
		if a.isa.keep {
			a.kept[c] = a.read(a.global(c))
		}
	}
}

func (a *assembler) global(c float32) operand.Mem {
	if a.globals == nil {
		a.globals = map[float32]operand.Mem{}
	}
	if m, ok := a.globals[c]; ok {
		return m
	}
	m := a.StaticGlobal(fmt.Sprintf("const%08x", math.Float32bits(c)))
	a.DataAttributes(attr.RODATA | attr.NOPTR)
	for range a.isa.bytes / 4 {
		a.AppendDatum(operand.U32(math.Float32bits(c)))
	}
	a.globals[c] = m
	return m
}
