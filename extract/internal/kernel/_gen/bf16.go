package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// Go's assembler does not know AVX512-BF16, so its instructions are written as bytes. They
// are EVEX.512.F3.0F38.W0: Intel's Software Developer's Manual, volume 2, 2.7.1 and the
// pages of the two.
const (
	dotOpcode     = 0x52 // VDPBF16PS zmm1, zmm2, zmm3
	convertOpcode = 0x72 // VCVTNEPS2BF16 ymm1, zmm2
)

// evex returns the six bytes of an instruction on vector registers by their numbers, the
// least significant first: reg is written, v and rm are read. v is 0 if there is none.
func evex(opcode, reg, v, rm int) uint64 {
	not := func(x, bit int) uint64 { return uint64(^x >> bit & 1) }
	p0 := not(reg, 3)<<7 | not(rm, 4)<<6 | not(rm, 3)<<5 | not(reg, 4)<<4 | 2
	p1 := uint64(^v&15)<<3 | 1<<2 | 2
	p2 := uint64(2<<5) | not(v, 4)<<3
	modRM := uint64(3<<6 | reg&7<<3 | rm&7)
	return 0x62 | p0<<8 | p1<<16 | p2<<24 | uint64(opcode)<<32 | modRM<<40
}

// encoded is an instruction as the operand of LONG, which ends with a comment.
type encoded struct {
	bytes uint64
	text  string
}

func (e encoded) Asm() string {
	return fmt.Sprintf("$0x%08x; WORD $0x%04x // %s", uint32(e.bytes), e.bytes>>32, e.text)
}

// dot emits acc += x·y, of pairs in bfloat16.
func (a *assembler) dot(x, y, acc vec) {
	a.Instruction(&ir.Instruction{
		Opcode: "VDPBF16PS", Operands: []operand.Op{x, y, acc},
		Inputs: []operand.Op{x, y, acc}, Outputs: []operand.Op{acc}, ISA: []string{"AVX512_BF16"},
	})
}

// bfloat16 returns x rounded to bfloat16.
func (a *assembler) bfloat16(x vec) vec {
	y := a.YMM()
	a.Instruction(&ir.Instruction{
		Opcode: "VCVTNEPS2BF16", Operands: []operand.Op{x, y},
		Inputs: []operand.Op{x}, Outputs: []operand.Op{y}, ISA: []string{"AVX512_BF16"},
	})
	return y
}

// encode turns an instruction that Go's assembler does not know into bytes, once its
// registers are chosen.
var encode = pass.InstructionPass(func(i *ir.Instruction) error {
	number := func(n int) int { return int(i.Operands[n].(reg.Physical).PhysicalIndex()) }
	var bytes uint64
	switch i.Opcode {
	case "VDPBF16PS":
		bytes = evex(dotOpcode, number(2), number(1), number(0))
	case "VCVTNEPS2BF16":
		bytes = evex(convertOpcode, number(1), 0, number(0))
	default:
		return nil
	}
	text := i.Opcode
	for n, op := range i.Operands {
		text += map[bool]string{true: " ", false: ", "}[n == 0] + op.Asm()
	}
	i.Opcode, i.Operands = "LONG", []operand.Op{encoded{bytes, text}}
	return nil
})
