//go:build (amd64 || arm64) && !purego

package unfilter

import "icebox/extract/internal/isa"

// turn is the number of bytes that up does at once.
const turn = 32

// assembled undoes a filter at the beginning of a row, and returns how much that is. Loads of
// a pixel of 3 bytes take a byte more, so that the last one is left over.
func assembled(i isa.ISA, filter byte, bpp int, row, prev []byte) int {
	if filter == Up && i != isa.Portable {
		n := len(row) / turn
		if n > 0 {
			upAssembly(&row[0], &prev[0], n)
		}
		return n * turn
	}
	n := len(row)/max(bpp, 1) - 1
	if i == isa.Portable || bpp != 3 && bpp != 4 || n < 1 {
		return 0
	}
	switch filter {
	case Sub:
		subAssembly(&row[0], n, bpp)
	case Average:
		averageAssembly(&row[0], &prev[0], n, bpp)
	case Paeth:
		paethAssembly(&row[0], &prev[0], n, bpp)
	}
	return n * bpp
}
