//go:build !purego

package kernel

// Arguments of the assembly routines, which read them by go_asm.h. Names ending
// in Bytes are distances in bytes.

type affineArgs struct {
	dst, x, mean, scale, ahead *float32

	n        int
	rowScale float32
}

type forwardArgs struct {
	z, x, w        *float32 // first column of the tile, first row, the tile
	zBytes, xBytes int      // from row to row
	features, rows int
}

type gradientArgs struct {
	g, x, dz        *float32
	xBytes, dzBytes int
	rows, chunk     int
}

type expArgs struct {
	e, z, top, sum *float32
	eBytes, zBytes int
	colBytes, rows int
}

type residualArgs struct {
	e, a, q  *float32
	eBytes   int
	colBytes int
	rows     int
}

type adamArgs struct {
	w, m, v, g *float32
	bytes      int
	step       *AdamStep
}

type sgdArgs struct {
	w, m, g *float32
	bytes   int
	step    *SGDStep
}

// The loops are those of generic.go under the same name with suffix Portable;
// affineAVX2 leaves the last n mod 8 values to it.

//go:noescape
func affineAVX2(a *affineArgs)

//go:noescape
func affineAVX512(a *affineArgs)

//go:noescape
func forwardAVX2(a *forwardArgs)

//go:noescape
func forwardAVX512(a *forwardArgs)

//go:noescape
func gradientAVX2(a *gradientArgs)

//go:noescape
func gradientAVX512(a *gradientArgs)

//go:noescape
func expAVX2(a *expArgs)

//go:noescape
func expAVX512(a *expArgs)

//go:noescape
func residualAVX2(a *residualArgs)

//go:noescape
func residualAVX512(a *residualArgs)

//go:noescape
func adamAVX2(a *adamArgs)

//go:noescape
func adamAVX512(a *adamArgs)

//go:noescape
func sgdAVX2(a *sgdArgs)

//go:noescape
func sgdAVX512(a *sgdArgs)
