//go:build !purego

package jpeg

import (
	"testing"

	"icebox/extract/internal/isa"
)

func TestNEONIsChosen(t *testing.T) {
	if native != isa.NEON || new(Decoder).isa() != isa.NEON || new(Rows).isa() != isa.NEON {
		t.Fatal("the assembly is not chosen")
	}
}
