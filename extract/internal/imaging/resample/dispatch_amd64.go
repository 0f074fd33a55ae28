//go:build !purego

package resample

import (
	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA {
	all := []isa.ISA{isa.Portable}
	x := &cpu.X86
	if x.HasAVX2 {
		all = append(all, isa.AVX2)
		if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512VNNI {
			all = append(all, isa.AVX512)
		}
	}
	return all
}

func alongAssembly(i isa.ISA, a *alongArgs) {
	if i == isa.AVX512 {
		alongAVX512(a)
	} else {
		alongAVX2(a)
	}
}

func acrossAssembly(i isa.ISA, a *acrossArgs) {
	if i == isa.AVX512 {
		acrossAVX512(a)
	} else {
		acrossAVX2(a)
	}
}
