package main

import (
	"fmt"
	"slices"
)

// The transforms and the pool in NEON: the loops of inputTile, outputTile and maxPool. A pointer
// steps through pixels or planes, as an address has no scaled index.

var neonInputs = map[string]func(lanes[neonVec], []neonVec) []neonVec{
	"inputF4": input4[neonVec], "inputF6": input6[neonVec], "inputF7": input7[neonVec],
	"inputF9": input9[neonVec], "inputF5S2": input5[neonVec], "inputF1S2": same[neonVec],
}

var neonOutputs = map[int]func(lanes[neonVec], []neonVec) []neonVec{
	1: same[neonVec], 4: output4to2[neonVec], 5: output5to4[neonVec], 6: output6to4[neonVec], 7: output7to4[neonVec], 9: output9to7[neonVec],
}

// The registers of neonInput and neonOutput.
const (
	tileScratch, tileChannels, tileTmp    = "R1", "R2", "R3"
	tileFrom, tileTo, tileWalk, tileFirst = "R4", "R5", "R6", "R7"
	tilePixel, tileTwice, tileRow         = "R8", "R9", "R10"
	tilePlane, tileGridRow, tileRun       = "R11", "R12", "R13"
	tileBias, tileColumns, tileValid      = "R14", "R15", "R19"
)

func neonInput(n *neon) {
	for _, s := range inputSchemes {
		if !s.planes.float {
			continue
		}
		n.constants(s.name, s.constants)
		n.input(s)
	}
}

func (n *neon) input(s inputScheme) {
	n.function(s.name, "inputArgs", "for tile { for vector of channels { planes = Bᵀ·pixels·B } }")
	n.keep(s.name, tileTmp, s.constants)
	for _, f := range [][2]string{{"scratch", tileScratch}, {"src", tileFrom}, {"dst", tileTo}, {"pixel", tilePixel}, {"row", tileRow}, {"plane", tilePlane}, {"gridRow", tileGridRow}, {"tiles", tileRun}} {
		n.load(f[0], f[1])
	}
	n.line("ADD %s, %s, %s", tilePixel, tilePixel, tileTwice)
	n.label("tile")
	n.load("channels", tileChannels)
	n.label("channel")
	n.inputRows(s)
	n.inputColumns(s)
	n.line("ADD $16, %s", tileFrom)
	n.line("ADD $16, %s", tileTo)
	n.line("SUBS $16, %s", tileChannels)
	n.line("BNE channel")
	n.load("srcStep", tileTmp)
	n.line("ADD %s, %s", tileTmp, tileFrom)
	n.load("dstStep", tileTmp)
	n.line("ADD %s, %s", tileTmp, tileTo)
	n.line("SUBS $1, %s", tileRun)
	n.line("BNE tile")
	n.end()
}

// inputRows emits scratch[y][phase, point] = Bᵀ over the pixels of row y.
func (n *neon) inputRows(s inputScheme) {
	n.line("MOVD %s, %s", tileFrom, tileFirst)
	for y := range s.size {
		column := 0
		for _, p := range s.phases {
			n.line("MOVD %s, %s", tileFirst, tileWalk)
			for range p.first {
				n.line("ADD %s, %s", tilePixel, tileWalk)
			}
			step := tilePixel
			if p.every == 2 {
				step = tileTwice
			}
			var d []neonVec
			for range p.inputs {
				d = append(d, n.readStep(tileWalk, step))
			}
			for _, v := range neonInputs[s.name](n, d) {
				n.write(v, tileScratch, 16*(y*s.size+column))
				column++
			}
		}
		n.line("ADD %s, %s", tileRow, tileFirst)
	}
}

// inputColumns emits plane[i][j] = Bᵀ over the columns of scratch, into the slots that
// inputTile has.
func (n *neon) inputColumns(s inputScheme) {
	slots := inputTile{inputScheme: s}
	column := 0
	for q, across := range s.phases {
		n.line("MOVD %s, %s", tileTo, tileFirst)
		for j := range across.points {
			for p, down := range s.phases {
				var d []neonVec
				for i := range down.inputs {
					d = append(d, n.read(tileScratch, 16*((down.first+i*down.every)*s.size+column)))
				}
				n.line("MOVD %s, %s", tileFirst, tileWalk)
				if slot := slots.slot(p, q, j); slot > 0 {
					n.load("channels", tileTmp)
					for range slot {
						n.line("ADD %s, %s", tileTmp, tileWalk)
					}
				}
				for _, v := range neonInputs[s.name](n, d) {
					n.writeStep(v, tileWalk, tileGridRow)
				}
			}
			column++
			n.line("ADD %s, %s", tilePlane, tileFirst)
		}
	}
}

func neonOutput(n *neon) {
	for _, s := range outputSchemes {
		if s.bf16 {
			continue
		}
		if !s.residual {
			n.constants(fmt.Sprintf("output%d", s.points), slices.Concat(s.constants, s.more))
		}
		n.output(s)
	}
}

func (n *neon) output(s outputScheme) {
	doc := "for tile { for vector of channels { pixels = max(Aᵀ·planes·A + bias, 0) } }"
	if s.residual {
		doc = "for tile { for vector of channels { pixels = max((Aᵀ·planes·A + bias) + pixels, 0) } }"
	}
	n.function(s.name, "outputArgs", doc)
	n.keep(fmt.Sprintf("output%d", s.points), tileTmp, slices.Concat(s.constants, s.more))
	bias := n.pin()
	for _, f := range [][2]string{{"scratch", tileScratch}, {"m", tileFrom}, {"out", tileTo}, {"plane", tilePlane}, {"gridRow", tileGridRow}, {"pixel", tilePixel}, {"row", tileRow}, {"rows", tileValid}, {"tiles", tileRun}} {
		n.load(f[0], f[1])
	}
	n.label("tile")
	n.line("// only the last tile may be cut short")
	n.line("MOVD $%d, %s", s.outputs, tileColumns)
	n.line("CMP $1, %s", tileRun)
	n.line("BNE full")
	n.load("lastColumns", tileColumns)
	n.label("full")
	n.load("bias", tileBias)
	n.load("channels", tileChannels)
	n.label("channel")
	n.outputRows(s)
	n.readPinned(bias, tileBias, 0)
	n.outputPixels(s, bias)
	for _, p := range []string{tileFrom, tileTo, tileBias} {
		n.line("ADD $16, %s", p)
	}
	n.line("SUBS $16, %s", tileChannels)
	n.line("BNE channel")
	n.line("// the rows of a plane follow each other: m is at the next tile already")
	n.load("outStep", tileTmp)
	n.line("ADD %s, %s", tileTmp, tileTo)
	n.line("SUBS $1, %s", tileRun)
	n.line("BNE tile")
	n.end()
}

// outputRows emits scratch[i][x] = Aᵀ over row i of the grid.
func (n *neon) outputRows(s outputScheme) {
	n.line("MOVD %s, %s", tileFrom, tileFirst)
	for i := range s.points {
		n.line("MOVD %s, %s", tileFirst, tileWalk)
		var m []neonVec
		for range s.points {
			m = append(m, n.readStep(tileWalk, tilePlane))
		}
		for x, v := range neonOutputs[s.points](n, m) {
			n.write(v, tileScratch, 16*(i*s.outputs+x))
		}
		n.line("ADD %s, %s", tileGridRow, tileFirst)
	}
}

// outputPixels emits column x of the pixels from column x of scratch, as many as are valid.
func (n *neon) outputPixels(s outputScheme, bias neonVec) {
	n.line("MOVD %s, %s", tileTo, tileFirst)
	done := n.newLabel("done")
	for x := range s.outputs {
		if x > 0 {
			n.line("CMP $%d, %s", x, tileColumns)
			n.line("BLE %s", done)
			n.line("ADD %s, %s", tilePixel, tileFirst)
		}
		n.line("MOVD %s, %s", tileFirst, tileWalk)
		var m []neonVec
		for i := range s.points {
			m = append(m, n.read(tileScratch, 16*(i*s.outputs+x)))
		}
		next := n.newLabel("column")
		for y, v := range neonOutputs[s.points](n, m) {
			if y > 0 {
				n.line("CMP $%d, %s", y, tileValid)
				n.line("BLE %s", next)
			}
			v = n.add(v, bias)
			if s.residual {
				v = n.add(v, n.read(tileWalk, 0))
			}
			n.writeStep(n.atLeastZero(v), tileWalk, tileRow)
		}
		n.label(next)
	}
	n.label(done)
}

func neonMaxPool(n *neon) {
	n.function("maxPool", "poolArgs", "for pixel { for vector of channels { out = max of 3×3 } }")
	for _, f := range [][2]string{{"src", tileFrom}, {"dst", tileTo}, {"pixel", tilePixel}, {"row", tileRow}, {"pixels", tileRun}} {
		n.load(f[0], f[1])
	}
	n.label("pixel")
	n.load("channels", tileChannels)
	n.label("channel")
	n.line("MOVD %s, %s", tileFrom, tileFirst)
	most := noVec
	for range 3 {
		n.line("MOVD %s, %s", tileFirst, tileWalk)
		for range 3 {
			v := n.readStep(tileWalk, tilePixel)
			if most == noVec {
				most = v
				continue
			}
			most = n.most(most, v)
		}
		n.line("ADD %s, %s", tileRow, tileFirst)
	}
	n.write(most, tileTo, 0)
	n.line("ADD $16, %s", tileFrom)
	n.line("ADD $16, %s", tileTo)
	n.line("SUBS $16, %s", tileChannels)
	n.line("BNE channel")
	n.load("srcStep", tileTmp)
	n.line("ADD %s, %s", tileTmp, tileFrom)
	n.line("SUBS $1, %s", tileRun)
	n.line("BNE pixel")
	n.end()
}
