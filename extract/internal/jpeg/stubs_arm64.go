//go:build !purego

package jpeg

// The assembly takes lengths that Go has checked; counts are of whole vectors or
// at least one, with the last one laid over its predecessor.

//go:noescape
func idctNEON(dst *byte, stride int, coefs *int16, quant *uint16, blocks int)

//go:noescape
func blendNEON(dst, near, far *byte, n, bias int)

//go:noescape
func weighNEON(dst *int16, near, far *byte, n int)

//go:noescape
func spreadNEON(dst *byte, sums *int16, n, even, odd int)

//go:noescape
func convertNEON(dst, luma, cb, cr *byte, n int)
