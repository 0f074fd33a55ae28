// Package jpeg decodes plain JPEGs, giving the samples and the pixels that
// libjpeg-turbo gives by default, bit for bit:
//
//	bytes ──segments──▶ tables, frame
//	      ──unstuff───▶ bits ──Huffman──▶ coefficients ──inverse DCT──▶ planes
//	                                                                      │
//	                      a row of RGB ◀──colour── a row of samples ◀──upsampling
//
// Nearly all files are plain: baseline or extended sequential, Huffman codes, 8 bits, 1
// or 3 components with sampling factors of 1, 2 or 4, in one scan or in a scan each.
// For everything else, and for every file with something wrong with it, the error is
// [ErrForeign]. A caller gives such a file to a decoder that knows more kinds, or that
// says what is wrong.
//
// # Windows
//
// A caller says which pixels it wants. They need their own blocks and, where upsampling
// looks at neighbours, a sample more on each side. All other blocks are only read past.
// The data are read to their end in any case: damage in the window often shows only
// behind it, when the data end too early.
//
// # Arithmetic
//
// The inverse DCT is libjpeg's accurate integer one ("islow"), with the widths of its
// SIMD form, so that even coefficients that no encoder writes give the same samples.
// Upsampling is its "fancy" kind: triangle filters for samples twice as wide or high as
// a pixel, replication for others. Colours are JFIF's YCbCr.
//
// Each inner loop is written in portable Go and, for processors with AVX2 and BMI2, in
// assembly. Both give equal bytes. The build tag purego leaves the assembly out.
package jpeg
