//go:build (!amd64 && !arm64) || purego

package kernel

import "icebox/extract/internal/isa"

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA { return []isa.ISA{isa.Portable} }

// HasBF16 reports whether i multiplies numbers in bfloat16: portable code does, slowly.
func HasBF16(i isa.ISA) bool { return i == isa.Portable }

func (g *GEMM) run(isa.ISA)      { gemmPortable(g) }
func (in *Input) run(isa.ISA)    { inputPortable(in) }
func (out *Output) run(isa.ISA)  { outputPortable(out) }
func (p *Pool) run(isa.ISA)      { maxPoolPortable(p) }
func fma(isa.ISA, bool, int) int { return 0 }
