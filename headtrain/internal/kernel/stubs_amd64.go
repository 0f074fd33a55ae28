//go:build !purego

package kernel

// Arguments of the assembly routines, which read them by go_asm.h. Names ending
// in Bytes are distances in bytes.

type affineArgs struct {
	dst, x, mean, scale, ahead *float32

	n        int
	rowScale float32
}

type transposeArgs struct {
	dst, x *float32
	xBytes int // from row to row
	cols   int
}

type forwardArgs struct {
	z, x, w        *float32
	xBytes, wBytes int // from row to row, from class to class
	features, cols int

	// Of gatherForward, whose cols are at most widest: rows to map and how.
	rows        **float32
	mean, scale *float32

	ahead aheadArgs
}

// widest is the most classes that gatherForwardAVX512 takes.
const widest = 12

// aheadArgs are the pieces of an Ahead and the indices of the one whose turn it
// is and of the last.
type aheadArgs struct {
	pieces     **float32
	next, last int
}

type gradientArgs struct {
	g, x, dz       *float32
	gBytes, xBytes int // from class to class, from row to row
	dzBytes        int // from block to block
	rows, cols     int
	keep           int32 // a mask of what is in g

	ahead aheadArgs
}

type sumArgs struct {
	dst, src *float32
	n        int // floats, a multiple of 16
	srcBytes int // from one summand to the next
	summands int
	keep     int32 // a mask of what is in dst
}

type biasArgs struct {
	g, dz           *float32
	gBytes, dzBytes int // from class to class, from block to block
	blocks, cols    int
}

type softmaxArgs struct {
	z                 *float32
	labels            *int32
	soft, hot, spread *float32
	out               *Judged
	classes           int
	total             float32
	learn             bool
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
func transposeAVX2(a *transposeArgs)

//go:noescape
func forwardAVX2(a *forwardArgs)

//go:noescape
func forwardAVX512(a *forwardArgs)

//go:noescape
func gatherForwardAVX512(a *forwardArgs)

//go:noescape
func gradientAVX2(a *gradientArgs)

//go:noescape
func gradientAVX512(a *gradientArgs)

//go:noescape
func biasAVX2(a *biasArgs)

//go:noescape
func softmaxAVX2(a *softmaxArgs)

//go:noescape
func softmaxAVX512(a *softmaxArgs)

//go:noescape
func adamAVX2(a *adamArgs)

//go:noescape
func adamAVX512(a *adamArgs)

//go:noescape
func sgdAVX2(a *sgdArgs)

//go:noescape
func sgdAVX512(a *sgdArgs)

// peakAVX2 and peakAVX512 do nothing but multiply-adds, 24 instructions a round.

func peakAVX2(rounds int)

func peakAVX512(rounds int)

//go:noescape
func sumAVX2(a *sumArgs)

// lerpAVX2 moves n floats, a multiple of 16.
//
//go:noescape
func lerpAVX2(dst, src *float32, n int, share float32)

//go:noescape
func prefetchLines(p *float32, lines int)
