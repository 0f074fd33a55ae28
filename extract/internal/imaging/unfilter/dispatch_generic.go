//go:build (!amd64 && !arm64) || purego

package unfilter

import "icebox/extract/internal/isa"

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA { return []isa.ISA{isa.Portable} }

func assembled(isa.ISA, byte, int, []byte, []byte) int { return 0 }
