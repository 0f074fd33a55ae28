//go:build !purego

package kernel

import (
	"testing"

	"icebox/extract/internal/isa"
)

func TestNEONIsChosen(t *testing.T) {
	if isa.Best(Available()) != isa.NEON {
		t.Fatalf("only %v available", Available())
	}
}
