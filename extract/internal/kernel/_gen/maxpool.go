package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
)

// maxPool emits a row of 3×3 maxima, two pixels apart.
func maxPool(a *assembler) {
	a.function("maxPool", "poolArgs", "for pixel { for vector of channels { out = max of 3×3 } }")
	src, dst, channels := a.load("src"), a.load("dst"), a.GP64()
	pixel, row := a.load("pixel"), a.load("row")
	a.Label("pixel")
	a.Comment("do {")
	a.MOVQ(a.arg("channels"), channels)
	a.Label("channel")
	a.Comment("do {")
	from := a.GP64()
	a.MOVQ(src, from)
	var most vec
	for y := range 3 {
		if y == 0 {
			a.Comment("most = max(row 0 of the 3×3 pixels)")
		} else {
			a.Comment(fmt.Sprintf("most = max(most, row %d of the 3×3 pixels)", y))
		}
		for x := range 3 {
			m := operand.Mem{Base: from}
			if x > 0 {
				m.Index, m.Scale = pixel, uint8(x)
			}
			if y == 0 && x == 0 {
				most = a.read(m)
				continue
			}
			a.VMAXPS(m, most, most)
		}
		if y < 2 {
			a.ADDQ(row, from)
		}
	}
	a.VMOVUPS(most, operand.Mem{Base: dst})
	a.ADDQ(operand.U8(a.isa.bytes), src)
	a.ADDQ(operand.U8(a.isa.bytes), dst)
	a.Comment("} while channels are left")
	a.SUBQ(operand.U8(a.isa.bytes), channels)
	a.JNE(operand.LabelRef("channel"))
	a.ADDQ(a.arg("srcStep"), src)
	a.Comment("} while (--pixels > 0)")
	a.DECQ(a.arg("pixels"))
	a.JNE(operand.LabelRef("pixel"))
	a.VZEROUPPER()
	a.RET()
}
