package main

import "github.com/mmcloughlin/avo/operand"

// fma emits loops of independent multiply-adds between registers: the most that the
// processor can do, of floats and of pairs in bfloat16.
func fma(a *assembler) {
	fmaOf(a, "fma", func(x, acc vec) { a.VFMADD231PS(x, x, acc) })
	if a.isa.bf16 {
		fmaOf(a, "dot", func(x, acc vec) { a.dot(x, x, acc) })
	}
}

func fmaOf(a *assembler, name string, multiply func(x, acc vec)) {
	const chains = 12
	a.function(name, "fmaArgs", "for step { 12 vectors: acc = x·x + acc }")
	steps, x := a.load("steps"), a.zero()
	var acc []vec
	for range chains {
		acc = append(acc, a.zero())
	}
	a.Label("step")
	a.Comment("do { acc[i] = x·x + acc[i]")
	for _, c := range acc {
		multiply(x, c)
	}
	a.Comment("} while (--steps > 0)")
	a.DECQ(steps)
	a.JNE(operand.LabelRef("step"))
	a.VZEROUPPER()
	a.RET()
}
