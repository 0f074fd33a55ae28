package resample

import "icebox/extract/internal/isa"

// Rows is the number of rows that Along works on at once.
const Rows = 4

// Block is what the length of a row in memory is a multiple of.
const Block = 32

// Stride rounds the length of a row in bytes up to whole blocks.
func Stride(n int) int { return (n + Block - 1) / Block * Block }

// Along resamples Rows rows of RGB pixels, of f.Reach() bytes each, stride bytes
// apart, to rows of f.Outputs() pixels, f.LineStride() bytes apart. What dst holds
// between the rows is unspecified.
func Along(i isa.ISA, dst, src []byte, stride int, f *Filter) {
	check(f.outputs > 0 && f.outputs%2 == 0 && len(f.starts) == f.outputs, "along: filter not complete")
	check(stride >= 0 && len(src) >= (Rows-1)*stride+f.reach, "along: short src")
	check(len(dst) >= Rows*f.LineStride(), "along: short dst")
	along(i, dst, src, stride, f)
}

// Across adds up rows: row k, with the first or second weight of weights[k/2], is as
// long as dst and begins at src[at[k]]. The length of dst is a multiple of Block.
func Across(i isa.ISA, dst, src []byte, at []int, weights []Pair) {
	check(len(weights) > 0 && len(at) == 2*len(weights), "across: rows and weights differ in number")
	check(len(dst) > 0 && len(dst)%Block == 0, "across: not whole blocks")
	for _, begin := range at {
		check(begin >= 0 && begin <= len(src)-len(dst), "across: short src")
	}
	across(i, dst, src, at, weights)
}

// check panics where the assembly would read or write outside its slices.
func check(ok bool, fault string) {
	if !ok {
		panic("resample: " + fault)
	}
}
