//go:build !purego

package unfilter

// The assembly takes lengths that Go has checked: n is at least 1, and counts turns or pixels
// of bpp bytes, 3 or 4, of which it reads 4.

//go:noescape
func upAVX2(row, prev *byte, n int)

//go:noescape
func subAVX2(row *byte, n, bpp int)

//go:noescape
func averageAVX2(row, prev *byte, n, bpp int)

//go:noescape
func paethAVX2(row, prev *byte, n, bpp int)
