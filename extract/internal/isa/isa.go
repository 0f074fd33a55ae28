// Package isa names the instruction sets that the inner loops of extract are written
// for. Which of them a machine runs is said by the package that holds the loops: each
// needs other extensions.
package isa

// ISA is an instruction set.
type ISA uint8

// The instruction sets, slowest first.
const (
	Portable ISA = iota // plain Go
	AVX2
	AVX512
	NEON // of arm64
)

// String returns "portable", "avx2", "avx512" or "neon".
func (i ISA) String() string {
	switch i {
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	case NEON:
		return "neon"
	default:
		return "portable"
	}
}

// Best returns the fastest of those available, which are sorted slowest first.
func Best(available []ISA) ISA { return available[len(available)-1] }
