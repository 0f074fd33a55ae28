//go:build !purego

package kernel

import "icebox/extract/internal/isa"

// Available returns the implementations that this machine runs, slowest first. Every arm64
// processor has NEON.
func Available() []isa.ISA { return []isa.ISA{isa.Portable, isa.NEON} }

// HasBF16 reports whether this machine multiplies numbers in bfloat16 with i. Portable code
// does so anywhere, slowly.
func HasBF16(i isa.ISA) bool { return i == isa.Portable }

func gemmAssembly(_ isa.ISA, g *GEMM, a *gemmArgs) {
	if g.Half != nil {
		gemmHalfNEON(a)
	} else {
		gemmNEON(a)
	}
}

func inputAssembly(_ isa.ISA, in *Input, a *inputArgs) {
	switch in.Scheme {
	case F23:
		inputF4NEON(a)
	case F43:
		inputF6NEON(a)
	case F73:
		inputF9NEON(a)
	case F42S2:
		inputF5S2NEON(a)
	case F13S2:
		inputF1S2NEON(a)
	default:
		inputF7NEON(a)
	}
}

func outputAssembly(_ isa.ISA, s Scheme, residual bool, a *outputArgs) {
	switch {
	case s == F23 && residual:
		outputF4AddNEON(a)
	case s == F23:
		outputF4NEON(a)
	case s == F43 && residual:
		outputF6AddNEON(a)
	case s == F43:
		outputF6NEON(a)
	case s == F73 && residual:
		outputF9AddNEON(a)
	case s == F73:
		outputF9NEON(a)
	case s == F44:
		outputF7NEON(a)
	case s == F13S2:
		outputF1NEON(a)
	default:
		outputF5NEON(a)
	}
}

func maxPoolAssembly(_ isa.ISA, a *poolArgs) { maxPoolNEON(a) }

func fma(i isa.ISA, bf16 bool, steps int) (flops int) {
	if i == isa.Portable || bf16 {
		return 0
	}
	const chains = 24
	fmaNEON(&fmaArgs{steps: steps})
	return steps * chains * 2 * 4
}
