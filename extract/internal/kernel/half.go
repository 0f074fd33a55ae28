package kernel

import "math"

// Half rounds x to half precision, ties to even: what VCVTPS2PH does. A value too
// large becomes an infinity.
func Half(x float32) uint16 {
	b := math.Float32bits(x)
	sign, b := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 // not a number
	case b >= 0x47800000:
		return sign | 0x7c00
	case b < 0x38800000: // below the least normal half: the float's own rounding does it
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-math.Float32bits(0.5))
	}
	b += 0xfff + b>>13&1
	return sign | uint16(b>>13-112<<10)
}

// Widen returns the value of a half: what VCVTPH2PS does.
func Widen(h uint16) float32 {
	sign, b := uint32(h&0x8000)<<16, uint32(h&0x7fff)<<13
	switch {
	case b >= 0x1f<<23:
		b += 224 << 23 // infinity, or not a number
	case b >= 1<<23:
		b += 112 << 23
	default:
		b = math.Float32bits(float32(b>>13) / (1 << 24))
	}
	return math.Float32frombits(sign | b)
}
