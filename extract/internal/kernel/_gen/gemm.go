package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// product is what a GEMM multiplies.
type product struct {
	name     string
	panelRow int  // bytes of a row of a panel
	unroll   int  // steps of k in the body of the inner loop
	pairs    bool // a step of k takes two values of bfloat16, which lie as one float would
}

// gemm emits C (+)= A·B over planes and panels. A panel of B is two vectors wide and is
// read from beginning to end, once for each block of rows. Meanwhile the next panel is
// fetched into the cache, a share of it with each block.
func gemm(a *assembler) {
	gemmOf(a, product{name: "gemm", panelRow: 2 * a.isa.bytes, unroll: 4})
	gemmOf(a, product{name: "gemmHalf", panelRow: a.isa.bytes, unroll: 4})
	if a.isa.bf16 {
		gemmOf(a, product{name: "gemmBF16", panelRow: 2 * a.isa.bytes, unroll: 2, pairs: true})
	}
}

// gemmOf emits one product: panels of half floats are widened as they are read.
func gemmOf(a *assembler, p product) {
	a.function(p.name, "gemmArgs",
		fmt.Sprintf("for plane { for panel { for block { c[≤%d rows][2 vectors] = fma chain over k } } }", a.isa.rows))
	g := gemmTile{assembler: a, product: p, lda: a.load("lda"), b: a.GP64(), fetch: a.GP64(), fetchStep: a.load("fetchStep"), k: a.GP64(), c: a.GP64(), bytes: 2 * a.isa.bytes}
	for range (a.isa.rows + 2) / 3 {
		g.a = append(g.a, a.GP64())
	}
	for range a.isa.rows * 2 {
		g.acc = append(g.acc, a.vec())
	}
	g.b0, g.b1, g.x = a.vec(), a.vec(), [2]vec{a.vec(), a.vec()}

	t := g.k // free outside the inner loop
	a.Label("plane")
	a.MOVQ(a.arg("panels"), t)
	a.MOVQ(t, a.arg("panelsLeft"))
	a.MOVQ(a.arg("c"), t)
	a.MOVQ(t, a.arg("cPanel"))
	a.Label("panel")
	a.MOVQ(a.arg("a"), g.a[0])
	a.MOVQ(a.arg("cPanel"), g.c)
	a.MOVQ(a.arg("blocks"), t)
	a.MOVQ(t, a.arg("blocksLeft"))
	a.MOVQ(a.arg("b"), g.fetch)
	a.ADDQ(a.arg("panelBytes"), g.fetch)
	a.CMPQ(a.arg("panelsLeft"), operand.U8(1))
	a.JNE(operand.LabelRef("block"))
	a.CMPQ(a.arg("planes"), operand.U8(1))
	a.JNE(operand.LabelRef("block"))
	a.MOVQ(a.arg("next"), g.fetch)
	a.Label("block")
	a.Comment("the first blocks have blockRows rows, the last `small` ones a row less")
	a.MOVQ(a.arg("blockRows"), g.b)
	a.MOVQ(a.arg("blocksLeft"), t)
	a.CMPQ(t, a.arg("small"))
	a.JG(operand.LabelRef("choose"))
	a.DECQ(g.b)
	a.Label("choose")
	for m := a.isa.rows; m > 1; m-- {
		a.CMPQ(g.b, operand.U8(m))
		a.JE(operand.LabelRef(fmt.Sprintf("rows%d", m)))
	}
	for m := 1; m <= a.isa.rows; m++ {
		g.block(m)
	}
	a.Label("next")
	a.DECQ(a.arg("blocksLeft"))
	a.JNE(operand.LabelRef("block"))
	a.MOVQ(g.b, a.arg("b"))
	a.ADDQ(operand.U32(g.bytes), a.arg("cPanel"))
	a.DECQ(a.arg("panelsLeft"))
	a.JNE(operand.LabelRef("panel"))
	a.MOVQ(a.arg("aPlane"), t)
	a.ADDQ(t, a.arg("a"))
	a.MOVQ(a.arg("cPlane"), t)
	a.ADDQ(t, a.arg("c"))
	a.DECQ(a.arg("planes"))
	a.JNE(operand.LabelRef("plane"))
	a.VZEROUPPER()
	a.RET()
}

// gemmTile holds the registers of gemm.
type gemmTile struct {
	*assembler
	product
	a                []reg.GPVirtual // rows 0, 3, 6, …
	lda, b, c, k     reg.GPVirtual
	fetch, fetchStep reg.GPVirtual
	acc              []vec // row r: 2r, 2r+1
	b0, b1           vec
	x                [2]vec // broadcast of a value of A
	bytes            int    // of a row of the tile
}

// block emits the case of m rows, and leaves a[0] and c at the next block and b at
// the next panel.
func (g *gemmTile) block(m int) {
	name := func(s string) string { return fmt.Sprintf("%s%d", s, m) }
	g.Label(name("rows"))
	g.start(m, name("from"), name("begin"))
	g.Label(name("begin"))
	for i := 1; 3*i < m; i++ {
		g.LEAQ(operand.Mem{Base: g.a[i-1], Index: g.lda, Scale: 2}, g.a[i])
		g.ADDQ(g.lda, g.a[i])
	}
	g.MOVQ(g.arg("b"), g.b)
	g.MOVQ(g.arg("k"), g.k)
	g.Label(name("k"))
	for u := range g.unroll {
		g.step(m, u)
	}
	for i := 0; 3*i < m; i++ {
		g.ADDQ(operand.U8(4*g.unroll), g.a[i])
	}
	g.ADDQ(operand.U32(g.unroll*g.panelRow), g.b)
	g.SUBQ(operand.U8(g.unroll), g.k)
	g.JNE(operand.LabelRef(name("k")))
	g.Comment("store; step to the next block")
	g.MOVQ(g.arg("ldc"), g.k)
	for r := range m {
		g.VMOVUPS(g.acc[2*r], at(g.c, 0))
		g.VMOVUPS(g.acc[2*r+1], at(g.c, g.bytes/2))
		g.ADDQ(g.k, g.c)
	}
	last := (m - 1) / 3
	for range m - 3*last {
		g.ADDQ(g.lda, g.a[last])
	}
	g.SUBQ(g.arg("kBytes"), g.a[last])
	if last > 0 {
		g.MOVQ(g.a[last], g.a[0])
	}
	g.JMP(operand.LabelRef("next"))
}

// start emits the initial accumulators: zero, or C.
func (g *gemmTile) start(m int, from, begin string) {
	g.CMPQ(g.arg("accumulate"), operand.U8(0))
	g.JNE(operand.LabelRef(from))
	for r := range 2 * m {
		if g.isa.bytes == 64 {
			g.VPXORD(g.acc[r], g.acc[r], g.acc[r])
		} else {
			g.VXORPS(g.acc[r], g.acc[r], g.acc[r])
		}
	}
	g.JMP(operand.LabelRef(begin))
	g.Label(from)
	g.MOVQ(g.c, g.b)
	for r := range m {
		g.VMOVUPS(at(g.b, 0), g.acc[2*r])
		g.VMOVUPS(at(g.b, g.bytes/2), g.acc[2*r+1])
		g.ADDQ(g.arg("ldc"), g.b)
	}
}

// step emits acc[r] += a[r][k+u]·b[k+u].
func (g *gemmTile) step(m, u int) {
	load := g.VMOVUPS
	if g.panelRow < g.bytes {
		load = g.VCVTPH2PS
	}
	load(at(g.b, u*g.panelRow), g.b0)
	load(at(g.b, u*g.panelRow+g.panelRow/2), g.b1)
	g.PREFETCHT0(at(g.fetch, 0))
	if g.panelRow == 128 {
		g.PREFETCHT0(operand.Mem{Base: g.fetch, Index: g.fetchStep, Scale: 1})
		g.LEAQ(operand.Mem{Base: g.fetch, Index: g.fetchStep, Scale: 2}, g.fetch)
	} else {
		g.ADDQ(g.fetchStep, g.fetch)
	}
	for r := range m {
		row := operand.Mem{Base: g.a[r/3], Disp: 4 * u}
		if r%3 > 0 {
			row.Index, row.Scale = g.lda, uint8(r%3)
		}
		x := g.x[r%2]
		g.VBROADCASTSS(row, x)
		g.multiply(g.b0, x, g.acc[2*r])
		g.multiply(g.b1, x, g.acc[2*r+1])
	}
}

// multiply emits acc += x·b.
func (g *gemmTile) multiply(b, x, acc vec) {
	if g.pairs {
		g.dot(b, x, acc)
	} else {
		g.VFMADD231PS(b, x, acc)
	}
}
