// Package jpeg decodes JPEGs, giving the samples and the pixels that libjpeg-turbo gives by
// default, bit for bit:
//
//	bytes ──segments──▶ tables, frame
//	      ──unstuff───▶ bits ──Huffman──▶ coefficients ──inverse DCT──▶ planes
//	                                                                      │
//	                      a row of RGB ◀──colour── a row of samples ◀──upsampling
//
// It reads baseline, extended sequential and progressive pictures: Huffman codes, 8 bits, 1,
// 3 or 4 components with sampling factors of 1 to 4, in any number of scans. As libjpeg does,
// it skips bytes and markers between segments that belong to none, and bytes behind the data
// of a restart interval. For everything else, and for every file with something else wrong
// with it, the error is [ErrForeign]. A caller gives such a file to a decoder that knows more
// kinds, or that says what is wrong.
//
// # Progressive pictures
//
// A progressive picture comes in many scans, which refine one another, so that all of its
// coefficients are kept: 2 bytes each, and a bit that tells that one is not 0. If scans are
// missing, so that some coefficients of low frequency are not known to their last bit,
// libjpeg-turbo guesses these from the blocks around; see smooth.go. Decode can be
// interrupted; how many scans a file may have is the caller's to say.
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
// Each inner loop is written in portable Go and, for processors with AVX2, BMI and POPCNT,
// in assembly. Both give equal bytes. The build tag purego leaves the assembly out.
package jpeg
