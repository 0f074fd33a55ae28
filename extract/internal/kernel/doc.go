// Package kernel is the arithmetic of a convolutional network on a CPU, in
// AVX-512, in AVX2 with FMA, in NEON, and in portable Go; a [isa.ISA] names one of them.
//
// A convolution is done by Winograd's method, in three steps over a batch of
// tiles (a tile is a square of output pixels; a plane is one of the points at
// which products of polynomials are taken):
//
//	pixels ──Input──▶ V[plane][tile][channel] ──GEMM──▶ M[plane][tile][channel] ──Output──▶ pixels
//
// A [Scheme] says which tiles and points. Activations are NHWC within a border of
// zeros wide enough for every tile to be read whole; nothing but pixels of the
// image is ever written.
//
// # Order of summation
//
// An element of a product is one chain of fused multiply-adds over k, from k = 0
// up, starting at +0; a transform is the same sequence of operations for every
// channel. Neither depends on the width of a vector, on how rows are grouped into
// blocks, or on how k is cut into calls. So the AVX2, AVX-512 and NEON kernels give equal
// bits, for any make-up of a batch. Portable code gives nearly the same numbers.
//
// # bfloat16
//
// Where a processor has AVX512-BF16, operands of products can be bfloat16: an input
// transform rounds what it writes to V, U is rounded where it is packed, and VDPBF16PS
// multiplies a pair along k in each lane, at the rate of one multiply-add of floats. A pair
// lies as one float would, so the loops are the same. Transforms, M and pixels stay floats. An
// element of a product is a chain of [Dot] over pairs, from k = 0 up, whose arithmetic
// portable code has bit by bit.
//
// Operands of 8 bits need points that lose little: see pairs. Schemes F43 and F42S2 have forms
// at such points, B43 and B42S2. Larger tiles lose too much at any: F(5,3) three
// times what F(4,3) does.
//
// The assembly is written by the program in _gen: both widths of amd64 from one source, NEON
// with the same transforms. Instructions that Go's assembler does not know are written as bytes.
// The build tag purego leaves it out.
package kernel
