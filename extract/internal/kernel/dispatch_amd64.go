//go:build !purego

package kernel

import (
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

func gemmAssembly(i isa.ISA, half bool, a *gemmArgs) {
	switch {
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

func inputAssembly(i isa.ISA, s Scheme, a *inputArgs) {
	if i == isa.AVX512 {
		inputAVX512(s, a)
	} else {
		inputAVX2(s, a)
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
	case s == F13S2:
		outputF1AVX512(a)
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

func fma(i isa.ISA, steps int) (flops int) {
	const chains = 12
	a := fmaArgs{steps: steps}
	switch i {
	case isa.AVX512:
		fmaAVX512(&a)
		return steps * chains * 2 * 16
	case isa.AVX2:
		fmaAVX2(&a)
		return steps * chains * 2 * 8
	default:
		return 0
	}
}
