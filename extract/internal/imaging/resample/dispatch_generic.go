//go:build (!amd64 && !arm64) || purego

package resample

import "icebox/extract/internal/isa"

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA { return []isa.ISA{isa.Portable} }

func along(_ isa.ISA, dst, src []byte, stride int, f *Filter) { alongPortable(dst, src, stride, f) }

func across(_ isa.ISA, dst, src []byte, at []int, weights []Pair) {
	acrossPortable(dst, src, at, weights)
}
