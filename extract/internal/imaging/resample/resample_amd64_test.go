//go:build !purego

package resample

import (
	"testing"

	"golang.org/x/sys/cpu"
)

func TestAssemblyIsChosenWhereTheMachineHasIt(t *testing.T) {
	if !cpu.X86.HasAVX2 {
		t.Skip("no AVX2 on this machine")
	}
	if Best() == Portable || len(Available()) < 2 {
		t.Fatalf("only %v available", Available())
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI && Best() != AVX512 {
		t.Fatalf("best is %v", Best())
	}
}

// Twice the sum of the taps, so that portable code standing in would be noticed.
func TestAssemblyRuns(t *testing.T) {
	for _, isa := range assembly(t) {
		f := filterOf(1, 4, 4, 4)
		dst := make([]byte, Rows*f.LineStride())
		src := make([]byte, Rows*f.Reach())
		dst[12] = 0xaa
		isa.Along(dst, src, f.Reach(), f)
		// Assembly writes two bytes beyond each row, portable code none.
		if dst[12] != 0 {
			t.Errorf("%s: Along did not run the assembly", isa)
		}
	}
}
