//go:build !purego

package kernel

import (
	"testing"

	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

func TestAssemblyIsChosenWhereTheMachineHasIt(t *testing.T) {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		t.Skip("no AVX2 with FMA on this machine")
	}
	if isa.Best(Available()) == isa.Portable || len(Available()) < 2 {
		t.Fatalf("only %v available", Available())
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && isa.Best(Available()) != isa.AVX512 {
		t.Fatalf("best is %v", isa.Best(Available()))
	}
}

func TestPeakIsThatOfAssembly(t *testing.T) {
	for _, i := range Available() {
		if peak := Peak(i, false); (peak > 0) != (i != isa.Portable) {
			t.Errorf("%s: %v operations a second", i, peak)
		}
	}
}
