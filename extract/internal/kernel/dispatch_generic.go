//go:build !amd64 || purego

package kernel

// Available returns the implementations that this machine runs, slowest first.
func Available() []ISA { return []ISA{Portable} }

func (ISA) gemm(g *GEMM)       { gemmPortable(g) }
func (ISA) input(in *Input)    { inputPortable(in) }
func (ISA) output(out *Output) { outputPortable(out) }
func (ISA) maxPool(p *Pool)    { maxPoolPortable(p) }
func (ISA) fma(int) int        { return 0 }
