// Package jpeg decodes plain JPEGs, giving the samples and the pixels that
// libjpeg-turbo gives by default, bit for bit:
//
//	bytes ──segments──▶ tables, frame
//	      ──unstuff───▶ bits ──Huffman──▶ coefficients ──inverse DCT──▶ planes
//	                                                                      │
//	                      a row of RGB ◀──colour── a row of samples ◀──upsampling
//
// Plain is what nearly all files are: baseline or extended sequential, Huffman
// codes, 8 bits, 1 or 3 components with sampling factors of 1, 2 or 4, in one
// scan or in a scan each. Everything else, and every file with something wrong
// with it, is [ErrForeign], without a guess at what was meant: a caller gives
// it to a decoder that knows more kinds, or that says what is wrong.
//
// # Windows
//
// A caller says which pixels it wants. Blocks outside of what these need
// (which is a sample more on each side where upsampling looks at neighbours)
// are only read past, to the end of the data even so: what is damaged in the
// window often shows only behind it, when the data ends too early.
//
// # Arithmetic
//
// The inverse DCT is libjpeg's accurate integer one ("islow"), with the widths
// of its SIMD form, so that even coefficients that no encoder writes come out
// the same. Upsampling is its "fancy" kind: triangle filters for samples twice
// as wide or high as a pixel, replication for others. Colours are JFIF's YCbCr.
//
// Each kernel is there in portable Go and, for processors with AVX2 and BMI2,
// in assembly; both give equal bytes. The build tag purego leaves the assembly
// out.
package jpeg
