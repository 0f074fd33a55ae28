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

// turn is the number of bytes that up does at once.
const turn = 32

// assembled undoes a filter at the beginning of a row, and returns how much that is. Loads of
// a pixel of 3 bytes take a byte more, so that the last one is left over.
func assembled(i isa.ISA, filter byte, bpp int, row, prev []byte) int {
	if filter == Up && i != isa.Portable {
		n := len(row) / turn
		if n > 0 {
			upAVX2(&row[0], &prev[0], n)
		}
		return n * turn
	}
	n := len(row)/max(bpp, 1) - 1
	if i == isa.Portable || bpp != 3 && bpp != 4 || n < 1 {
		return 0
	}
	switch filter {
	case Sub:
		subAVX2(&row[0], n, bpp)
	case Average:
		averageAVX2(&row[0], &prev[0], n, bpp)
	case Paeth:
		paethAVX2(&row[0], &prev[0], n, bpp)
	}
	return n * bpp
}
