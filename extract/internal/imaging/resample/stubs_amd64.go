//go:build !purego

package resample

// Arguments of the assembly routines, which read them by go_asm.h. Distances are in
// bytes.

type alongArgs struct {
	dst, src             *byte
	starts               *int32
	pairs                *Pair
	dstStride, srcStride int
	couples              int // of outputs
	groups               int // of taps of an output
}

type acrossArgs struct {
	dst, src *byte
	at       *int
	pairs    *Pair
	blocks   int
	count    int // of pairs
}

// See alongPortable and acrossPortable for what they compute.

//go:noescape
func alongAVX2(a *alongArgs)

//go:noescape
func alongAVX512(a *alongArgs)

//go:noescape
func acrossAVX2(a *acrossArgs)

//go:noescape
func acrossAVX512(a *acrossArgs)
