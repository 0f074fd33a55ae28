//go:build !purego

package unfilter

import "icebox/extract/internal/isa"

// Available returns the implementations that this machine runs, slowest first. Every arm64
// processor has NEON.
func Available() []isa.ISA { return []isa.ISA{isa.Portable, isa.NEON} }

func upAssembly(row, prev *byte, n int) { upNEON(row, prev, n) }

func subAssembly(row *byte, n, bpp int) { subNEON(row, n, bpp) }

func averageAssembly(row, prev *byte, n, bpp int) { averageNEON(row, prev, n, bpp) }

func paethAssembly(row, prev *byte, n, bpp int) { paethNEON(row, prev, n, bpp) }
