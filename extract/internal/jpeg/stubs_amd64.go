//go:build !purego

package jpeg

// The assembly takes lengths that Go has checked; counts are of whole vectors or
// at least one, with the last one laid over its predecessor.

//go:noescape
func idctAVX2(dst *byte, stride int, coefs *int16, quant *uint16, pairs int)

//go:noescape
func blendAVX2(dst, near, far *byte, n, bias int)

//go:noescape
func weighAVX2(dst *int16, near, far *byte, n int)

//go:noescape
func spreadAVX2(dst *byte, sums *int16, n, even, odd int)

//go:noescape
func convertAVX2(dst, luma, cb, cr *byte, n int)

//go:noescape
func decodeAVX2(r *reader, units *unit, count, first, mcus int) bool

//go:noescape
func skipAVX2(r *reader, units *unit, count, mcus int) bool

//go:noescape
func firstAVX2(b *bandReader, coefs *int16, set *uint64, count int) int

//go:noescape
func moreAVX2(b *bandReader, coefs *int16, set *uint64, count int) int
