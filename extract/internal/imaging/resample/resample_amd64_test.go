//go:build !purego

package resample

import (
	"bytes"
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

// Weights that add up to twice what they may show who computes: assembly saturates,
// portable code wraps around.
func TestAssemblyRuns(t *testing.T) {
	var f Filter
	f.Reset(2, 2)
	f.Add(0, []int32{1 << Bits, 1 << Bits})
	f.Add(0, []int32{1 << Bits, 1 << Bits})
	src, dst := bytes.Repeat([]byte{255}, Rows*f.Reach()), make([]byte, Rows*f.LineStride())
	for _, isa := range Available() {
		want := byte(255)
		if isa == Portable {
			want = 254
		}
		isa.Along(dst, src, f.Reach(), &f)
		if dst[0] != want {
			t.Errorf("%s: Along gives %d, want %d", isa, dst[0], want)
		}
		isa.Across(dst[:Block], src, []int{0, 0}, f.Weights(0))
		if dst[0] != want {
			t.Errorf("%s: Across gives %d, want %d", isa, dst[0], want)
		}
	}
}
