// Package resample is the arithmetic of Pillow's resampling of 8-bit samples, in
// AVX-512 with VNNI, in AVX2, in NEON, and in portable Go; an [isa.ISA] names one of them.
//
// A picture is resampled in two passes, each rounded to 8 bits: Along takes rows of
// pixels to shorter or longer rows, Across takes rows to one row. A [Filter] holds
// the weights of a pass. They are integers of [Bits] fractional bits, and a sum of
// samples times weights is exact in 32 bits, so all implementations give equal bytes.
//
// Assembly multiplies 16-bit numbers, two taps at once, so a weight is kept in two
// halves of [lowBits]: samples · high · 2^lowBits + samples · low.
//
// Assembly does not treat the ends of rows apart: it reads and writes a little beyond
// them. The contracts say how much memory must be there.
package resample
