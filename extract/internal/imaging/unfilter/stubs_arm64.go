//go:build !purego

package unfilter

// The assembly takes lengths that Go has checked: n is at least 1, and counts turns or pixels
// of bpp bytes, 3 or 4, of which it reads 4.

//go:noescape
func upNEON(row, prev *byte, n int)

//go:noescape
func subNEON(row *byte, n, bpp int)

//go:noescape
func averageNEON(row, prev *byte, n, bpp int)

//go:noescape
func paethNEON(row, prev *byte, n, bpp int)
