//go:build !purego

package unfilter

import (
	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA {
	if cpu.X86.HasAVX2 {
		return []isa.ISA{isa.Portable, isa.AVX2}
	}
	return []isa.ISA{isa.Portable}
}

func upAssembly(row, prev *byte, n int) { upAVX2(row, prev, n) }

func subAssembly(row *byte, n, bpp int) { subAVX2(row, n, bpp) }

func averageAssembly(row, prev *byte, n, bpp int) { averageAVX2(row, prev, n, bpp) }

func paethAssembly(row, prev *byte, n, bpp int) { paethAVX2(row, prev, n, bpp) }
