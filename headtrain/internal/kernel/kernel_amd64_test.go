//go:build !purego

package kernel

import (
	"testing"

	"golang.org/x/sys/cpu"
)

func TestAssemblyRunsWhereTheMachineHasIt(t *testing.T) {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && Best() == Portable {
		t.Error("the machine has AVX2 and FMA, yet the portable kernels were chosen")
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && Best() != AVX512 {
		t.Error("the machine has AVX-512, yet its kernels were not chosen")
	}
	if len(Available()) == 1 {
		t.Skip("this machine has neither AVX2 nor AVX-512: no assembly was tested")
	}
}
