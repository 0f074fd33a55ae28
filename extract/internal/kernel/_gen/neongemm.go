package main

import "fmt"

// neonRows is the number of rows of a GEMM tile, which is two vectors wide: of the 32 registers
// 20 hold sums, 10 the next four values of each row, two a row of the panel.
const neonRows = 10

// neonGEMM is what gemmOf emits for the other instruction sets. A value of A is multiplied from
// the lane in which it was loaded, four steps of k at a time.
func neonGEMM(n *neon) {
	neonGEMMOf(n, "gemm", 32)
	neonGEMMOf(n, "gemmHalf", 16)
}

// The registers of neonGEMMOf beside those of the rows, R1 to R10.
const (
	gemmA, gemmB, gemmC           = "R11", "R12", "R13"
	gemmK, gemmFetch, gemmStep    = "R14", "R15", "R19"
	gemmLDA, gemmLDC, gemmScratch = "R20", "R21", "R22"
	gemmOther                     = "R23"
)

// neonUnroll is the number of steps of k in the body of the inner loop: the values of a vector.
const neonUnroll = 4

func neonGEMMOf(n *neon, name string, panelRow int) {
	n.function(name, "gemmArgs", fmt.Sprintf("for plane { for panel { for block { c[≤%d rows][2 vectors] = fma chain over k } } }", neonRows))
	n.load("lda", gemmLDA)
	n.load("ldc", gemmLDC)
	n.load("fetchStep", gemmStep)
	n.label("plane")
	n.copyArg("panels", "panelsLeft")
	n.copyArg("c", "cPanel")
	n.label("panel")
	n.load("a", gemmA)
	n.load("cPanel", gemmC)
	n.copyArg("blocks", "blocksLeft")
	n.load("b", gemmFetch)
	n.load("panelBytes", gemmScratch)
	n.line("ADD %s, %s", gemmScratch, gemmFetch)
	for _, field := range []string{"panelsLeft", "planes"} {
		n.load(field, gemmScratch)
		n.line("CMP $1, %s", gemmScratch)
		n.line("BNE block")
	}
	n.load("next", gemmFetch)
	n.label("block")
	n.line("// the first blocks have blockRows rows, the last `small` ones a row less")
	n.load("blockRows", gemmScratch)
	n.load("blocksLeft", gemmK)
	n.load("small", gemmOther)
	n.line("CMP %s, %s", gemmOther, gemmK)
	n.line("BGT choose")
	n.line("SUB $1, %s", gemmScratch)
	n.label("choose")
	for m := neonRows; m > 1; m-- {
		n.line("CMP $%d, %s", m, gemmScratch)
		n.line("BEQ rows%d", m)
	}
	for m := 1; m <= neonRows; m++ {
		n.gemmBlock(m, panelRow)
	}
	n.label("next")
	n.countDown("blocksLeft", "block")
	n.line("MOVD %s, %s", gemmB, n.arg("b"))
	n.load("cPanel", gemmScratch)
	n.line("ADD $32, %s", gemmScratch)
	n.line("MOVD %s, %s", gemmScratch, n.arg("cPanel"))
	n.countDown("panelsLeft", "panel")
	for _, field := range []string{"a", "c"} {
		n.load(field, gemmScratch)
		n.load(field+"Plane", gemmOther)
		n.line("ADD %s, %s", gemmOther, gemmScratch)
		n.line("MOVD %s, %s", gemmScratch, n.arg(field))
	}
	n.countDown("planes", "plane")
	n.end()
}

func (n *neon) copyArg(from, to string) {
	n.load(from, gemmScratch)
	n.line("MOVD %s, %s", gemmScratch, n.arg(to))
}

// countDown emits: if --field != 0, go to a label.
func (n *neon) countDown(field, label string) {
	n.load(field, gemmScratch)
	n.line("SUBS $1, %s", gemmScratch)
	n.line("MOVD %s, %s", gemmScratch, n.arg(field))
	n.line("BNE %s", label)
}

// gemmBlock emits the case of m rows, and leaves the pointers at A and C at the next block, and
// that at B at the next panel. Sums are V0 to V19, values of A V20 to V29, of B V30 and V31.
func (n *neon) gemmBlock(m, panelRow int) {
	name := func(s string) string { return fmt.Sprintf("%s%d", s, m) }
	row := func(r int) string { return fmt.Sprintf("R%d", 1+r) }
	n.label(name("rows"))
	n.load("accumulate", gemmScratch)
	n.line("CBNZ %s, %s", gemmScratch, name("from"))
	for r := range 2 * m {
		n.line("VEOR V%d.B16, V%d.B16, V%d.B16", r, r, r)
	}
	n.line("B %s", name("begin"))
	n.label(name("from"))
	n.line("MOVD %s, %s", gemmC, gemmB)
	for r := range m {
		n.line("VLD1 (%s), [V%d.S4, V%d.S4]", gemmB, 2*r, 2*r+1)
		n.line("ADD %s, %s", gemmLDC, gemmB)
	}
	n.label(name("begin"))
	for r := range m {
		n.line("MOVD %s, %s", gemmA, row(r))
		n.line("ADD %s, %s", gemmLDA, gemmA)
	}
	n.load("b", gemmB)
	n.load("k", gemmK)
	n.label(name("k"))
	for r := range m {
		n.line("VLD1.P 16(%s), [V%d.S4]", row(r), 20+r)
	}
	for u := range neonUnroll {
		if panelRow == 32 {
			n.line("VLD1.P 32(%s), [V30.S4, V31.S4]", gemmB)
		} else {
			n.line("VLD1.P 16(%s), [V30.H8]", gemmB)
			n.line("%s", word(0x4e217800|30<<5|31, "fcvtl2 v31.4s, v30.8h"))
			n.line("%s", word(0x0e217800|30<<5|30, "fcvtl v30.4s, v30.4h"))
		}
		if u*panelRow%64 == 0 {
			n.line("PRFM (%s), PLDL1KEEP", gemmFetch)
			n.line("ADD %s, %s", gemmStep, gemmFetch)
		}
		for r := range m {
			n.line("%s", fmlaLane(2*r, 30, 20+r, u))
			n.line("%s", fmlaLane(2*r+1, 31, 20+r, u))
		}
	}
	n.line("SUBS $%d, %s", neonUnroll, gemmK)
	n.line("BNE %s", name("k"))
	for r := range m {
		n.line("VST1 [V%d.S4, V%d.S4], (%s)", 2*r, 2*r+1, gemmC)
		n.line("ADD %s, %s", gemmLDC, gemmC)
	}
	n.line("B next")
}

// neonFMA is what fma emits for the other instruction sets, with as many sums as the widest
// cores need: four multiply-adds begin at once, and each takes four cycles.
func neonFMA(n *neon) {
	const chains = 24
	n.function("fma", "fmaArgs", fmt.Sprintf("for step { %d vectors: acc = x·x + acc }", chains))
	n.load("steps", "R1")
	for r := range chains + 1 {
		n.line("VEOR V%d.B16, V%d.B16, V%d.B16", r, r, r)
	}
	n.label("step")
	for r := range chains {
		n.line("VFMLA V%d.S4, V%d.S4, V%d.S4", chains, chains, r)
	}
	n.line("SUBS $1, R1")
	n.line("BNE step")
	n.end()
}
