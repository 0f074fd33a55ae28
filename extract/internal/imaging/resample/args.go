//go:build (amd64 || arm64) && !purego

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
