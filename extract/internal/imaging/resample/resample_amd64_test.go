//go:build !purego

package resample

import (
	"bytes"
	"testing"

	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

func TestAssemblyIsChosenWhereTheMachineHasIt(t *testing.T) {
	if !cpu.X86.HasAVX2 {
		t.Skip("no AVX2 on this machine")
	}
	if isa.Best(Available()) == isa.Portable || len(Available()) < 2 {
		t.Fatalf("only %v available", Available())
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI && isa.Best(Available()) != isa.AVX512 {
		t.Fatalf("best is %v", isa.Best(Available()))
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
	for _, on := range Available() {
		want := byte(255)
		if on == isa.Portable {
			want = 254
		}
		Along(on, dst, src, f.Reach(), &f)
		if dst[0] != want {
			t.Errorf("%s: Along gives %d, want %d", on, dst[0], want)
		}
		Across(on, dst[:Block], src, []int{0, 0}, f.Weights(0))
		if dst[0] != want {
			t.Errorf("%s: Across gives %d, want %d", on, dst[0], want)
		}
	}
}
