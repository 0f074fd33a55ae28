package main

import "github.com/mmcloughlin/avo/operand"

// fma emits a loop of independent multiply-adds between registers: the most that the
// processor can do.
func fma(a *assembler) {
	const chains = 12
	a.function("fma", "fmaArgs", "for step { 12 vectors: acc = x·x + acc }")
	steps, x := a.load("steps"), a.zero()
	var acc []vec
	for range chains {
		acc = append(acc, a.zero())
	}
	a.Label("step")
	a.Comment("do { acc[i] = x·x + acc[i]")
	for _, c := range acc {
		a.VFMADD231PS(x, x, c)
	}
	a.Comment("} while (--steps > 0)")
	a.DECQ(steps)
	a.JNE(operand.LabelRef("step"))
	a.VZEROUPPER()
	a.RET()
}
