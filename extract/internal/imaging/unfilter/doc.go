// Package unfilter undoes the filters of a PNG's rows (section 9 of the PNG specification).
//
// Each filter is written in portable Go and, for rows of 3 and 4 bytes a pixel on processors
// with AVX2 or NEON, in assembly. Both give equal bytes. The build tag purego leaves the assembly out.
package unfilter
