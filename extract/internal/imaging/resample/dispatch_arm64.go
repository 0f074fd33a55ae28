//go:build !purego

package resample

import "icebox/extract/internal/isa"

// Available returns the implementations that this machine runs, slowest first. Every arm64
// processor has NEON.
func Available() []isa.ISA { return []isa.ISA{isa.Portable, isa.NEON} }

func alongAssembly(_ isa.ISA, a *alongArgs) { alongNEON(a) }

func acrossAssembly(_ isa.ISA, a *acrossArgs) { acrossNEON(a) }
