//go:build !purego

package jpeg

import (
	"testing"

	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

func TestAssemblyIsChosenWhereTheMachineHasIt(t *testing.T) {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasBMI2 || !cpu.X86.HasBMI1 || !cpu.X86.HasPOPCNT {
		t.Skip("no AVX2 with BMI and POPCNT on this machine")
	}
	if native == isa.Portable || new(Decoder).isa() == isa.Portable || new(Rows).isa() == isa.Portable {
		t.Fatal("portable code is chosen")
	}
}

// The assembly itself is called: a kernel that fell back to Go would pass the
// comparisons with it.
func TestAssemblyRuns(t *testing.T) {
	assembly(t)
	dst, row := make([]byte, 3*turn), make([]byte, turn)
	for i := range row {
		row[i] = 200
	}
	convertAVX2(&dst[0], &row[0], &row[0], &row[0], turn)
	if dst[3*turn-1] == 0 {
		t.Error("no colours come out")
	}
}
