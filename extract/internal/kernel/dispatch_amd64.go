//go:build !purego

package kernel

import (
	"slices"

	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA {
	all := []isa.ISA{isa.Portable}
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA && x.HasF16C {
		all = append(all, isa.AVX2)
		if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW {
			all = append(all, isa.AVX512)
		}
	}
	return all
}

// HasBF16 reports whether this machine multiplies numbers in bfloat16 with i. Portable code
// does so anywhere, slowly.
func HasBF16(i isa.ISA) bool {
	return i == isa.Portable || i == isa.AVX512 && slices.Contains(Available(), i) && cpu.X86.HasAVX512BF16
}

func gemmAssembly(i isa.ISA, g *GEMM, a *gemmArgs) {
	switch half := g.Half != nil; {
	case g.BF16 != nil:
		gemmBF16AVX512(a)
	case i == isa.AVX512 && half:
		gemmHalfAVX512(a)
	case i == isa.AVX512:
		gemmAVX512(a)
	case half:
		gemmHalfAVX2(a)
	default:
		gemmAVX2(a)
	}
}

func inputAssembly(i isa.ISA, in *Input, a *inputArgs) {
	switch {
	case in.BF16 != nil:
		inputBF16AVX512(in.Scheme, a)
	case i == isa.AVX512:
		inputAVX512(in.Scheme, a)
	default:
		inputAVX2(in.Scheme, a)
	}
}

func inputAVX512(s Scheme, a *inputArgs) {
	switch s {
	case F23:
		inputF4AVX512(a)
	case F43:
		inputF6AVX512(a)
	case F73:
		inputF9AVX512(a)
	case F42S2:
		inputF5S2AVX512(a)
	case F13S2:
		inputF1S2AVX512(a)
	default:
		inputF7AVX512(a)
	}
}

func inputAVX2(s Scheme, a *inputArgs) {
	switch s {
	case F23:
		inputF4AVX2(a)
	case F43:
		inputF6AVX2(a)
	case F73:
		inputF9AVX2(a)
	case F42S2:
		inputF5S2AVX2(a)
	case F13S2:
		inputF1S2AVX2(a)
	default:
		inputF7AVX2(a)
	}
}

func inputBF16AVX512(s Scheme, a *inputArgs) {
	switch s {
	case F23:
		inputF4BF16AVX512(a)
	case F13S2:
		inputF1S2BF16AVX512(a)
	case B43:
		inputF6PBF16AVX512(a)
	case B42S2:
		inputF5S2PBF16AVX512(a)
	default:
		inputF1BF16AVX512(a)
	}
}

func outputAssembly(i isa.ISA, s Scheme, residual bool, a *outputArgs) {
	if i == isa.AVX512 {
		outputAVX512(s, residual, a)
	} else {
		outputAVX2(s, residual, a)
	}
}

func outputAVX512(s Scheme, residual bool, a *outputArgs) {
	switch {
	case s == F23 && residual:
		outputF4AddAVX512(a)
	case s == F23:
		outputF4AVX512(a)
	case s == F43 && residual:
		outputF6AddAVX512(a)
	case s == F43:
		outputF6AVX512(a)
	case s == F73 && residual:
		outputF9AddAVX512(a)
	case s == F73:
		outputF9AVX512(a)
	case s == F44:
		outputF7AVX512(a)
	case s == F13S2 || s == F11S2:
		outputF1AVX512(a)
	case s == B43 && residual:
		outputF6PAddAVX512(a)
	case s == B43:
		outputF6PAVX512(a)
	case s == B42S2:
		outputF5PAVX512(a)
	default:
		outputF5AVX512(a)
	}
}

func outputAVX2(s Scheme, residual bool, a *outputArgs) {
	switch {
	case s == F23 && residual:
		outputF4AddAVX2(a)
	case s == F23:
		outputF4AVX2(a)
	case s == F43 && residual:
		outputF6AddAVX2(a)
	case s == F43:
		outputF6AVX2(a)
	case s == F73 && residual:
		outputF9AddAVX2(a)
	case s == F73:
		outputF9AVX2(a)
	case s == F44:
		outputF7AVX2(a)
	case s == F13S2:
		outputF1AVX2(a)
	default:
		outputF5AVX2(a)
	}
}

func maxPoolAssembly(i isa.ISA, a *poolArgs) {
	if i == isa.AVX512 {
		maxPoolAVX512(a)
	} else {
		maxPoolAVX2(a)
	}
}

func fma(i isa.ISA, bf16 bool, steps int) (flops int) {
	const chains = 12
	a := fmaArgs{steps: steps}
	switch {
	case bf16 && i == isa.AVX512 && HasBF16(i):
		dotAVX512(&a)
		return steps * chains * 2 * 32
	case bf16:
		return 0
	case i == isa.AVX512:
		fmaAVX512(&a)
		return steps * chains * 2 * 16
	case i == isa.AVX2:
		fmaAVX2(&a)
		return steps * chains * 2 * 8
	default:
		return 0
	}
}
