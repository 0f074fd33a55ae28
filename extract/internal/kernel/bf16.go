package kernel

import "math"

// A bfloat16 is the upper half of a float32: its sign, its exponent and 7 bits of its
// fraction. What is here is the arithmetic of AVX512-BF16, bit by bit. Intel's manual gives
// it as pseudo-code; that a processor rounds so was measured on AMD's Zen 4, which agrees
// with the manual in 16 million random products (tiny, huge, denormal and near 1) and with
// no other order or fusion of the steps.

// BF16 rounds x to bfloat16, ties to even: what VCVTNEPS2BF16 does. A denormal becomes a
// zero of its sign; a value too large becomes an infinity.
func BF16(x float32) uint16 {
	b := math.Float32bits(x)
	switch {
	case x != x:
		return uint16(b>>16) | 0x40 // not a number, and quiet
	case b&0x7f800000 == 0:
		return uint16(b >> 16 & 0x8000)
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// WidenBF16 returns the value of a bfloat16.
func WidenBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// Dot is sum + a[1]·b[1] + a[0]·b[0]: what a lane of VDPBF16PS does. It is two fused
// multiply-adds, the odd values first. Each takes denormals as zeros, rounds once, to
// nearest and ties to even, and returns zero for a denormal.
func Dot(sum float32, a, b [2]uint16) float32 {
	sum = fmaFlushed(WidenBF16(a[1]), WidenBF16(b[1]), sum)
	return fmaFlushed(WidenBF16(a[0]), WidenBF16(b[0]), sum)
}

// least is the smallest normal float32.
const least = 0x1p-126

// flush returns x, or zero for a denormal.
func flush(x float32) float32 {
	if x > -least && x < least {
		return float32(math.Copysign(0, float64(x)))
	}
	return x
}

// fmaFlushed is a·b + c with one rounding, where a and b have 8 bits; see Dot.
func fmaFlushed(a, b, c float32) float32 {
	product, addend := float64(flush(a))*float64(flush(b)), float64(flush(c)) // exact
	sum := product + addend
	// A float64 rounded to float32 is rounded twice. That matters only where the first
	// rounding ends midway between two float32, or where the result may be denormal.
	const midway, dropped = 1 << 28, 1<<29 - 1
	if size := math.Abs(sum); size > 2*least && size < math.MaxFloat32 && math.Float64bits(sum)&dropped != midway {
		return float32(sum)
	}
	return roundOnce(sum, product, addend)
}

// roundOnce rounds product + addend, of which sum is the nearest float64, to float32.
func roundOnce(sum, product, addend float64) float32 {
	if math.IsInf(sum, 0) || sum != sum {
		return float32(sum)
	}
	// The last bit of a float64 then says that something was lost (rounding to odd).
	back := sum - product
	lost := (product - (sum - back)) + (addend - back)
	if bits := math.Float64bits(sum); lost != 0 && bits&1 == 0 {
		if (lost < 0) == (sum > 0) {
			bits--
		} else {
			bits++
		}
		sum = math.Float64frombits(bits)
	}
	// Whether a result is denormal is decided after it is rounded as if exponents had no
	// end, so that 2^-126 - 2^-151, which is a tie, becomes 2^-126.
	if size := math.Abs(sum); size < least-0x1p-151 {
		return float32(math.Copysign(0, sum))
	}
	return float32(sum)
}

// gemmBF16Portable is GEMM in bfloat16.
func gemmBF16Portable(g *GEMM) {
	const width = 4
	for p := range g.Planes {
		for n := 0; n < g.Columns; n += width {
			panel := g.BF16[(p*g.Columns+n)*g.K:][:g.K*width]
			for r := range g.Rows {
				a := g.ABF16[p*g.APlane+r*g.LDA:][:g.K]
				c := (*[width]float32)(g.C[p*g.CPlane+r*g.LDC+n:])
				if !g.Accumulate {
					*c = [width]float32{}
				}
				for k := 0; k < g.K; k += 2 {
					b, x := (*[2 * width]uint16)(panel[k*width:]), [2]uint16(a[k:])
					for lane := range c {
						c[lane] = Dot(c[lane], x, [2]uint16(b[2*lane:]))
					}
				}
			}
		}
	}
}
