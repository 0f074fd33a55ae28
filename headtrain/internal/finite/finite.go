// Package finite finds values that are NaN or infinite.
package finite

import (
	"math"
	"slices"
)

// Is reports whether v is neither NaN nor infinite.
func Is(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// All reports whether every value of x is finite.
func All(x []float32) bool { return FirstNot(x) < 0 }

// FirstNot returns the place of the first value that is not finite, or -1. It
// looks at eight values together, since a whole dataset goes through it.
func FirstNot(x []float32) int {
	at := 0
	for rest := x; len(rest) >= 8; rest = rest[8:] {
		v := rest[:8:8]
		a, b := max(exponent(v[0]), exponent(v[1])), max(exponent(v[2]), exponent(v[3]))
		c, d := max(exponent(v[4]), exponent(v[5])), max(exponent(v[6]), exponent(v[7]))
		if max(a, b, c, d) == infinite {
			break
		}
		at += 8
	}
	i := slices.IndexFunc(x[at:], func(v float32) bool { return exponent(v) == infinite })
	if i < 0 {
		return -1
	}
	return at + i
}

// infinite is the exponent of NaN and of the infinities.
const infinite = 0x7f800000

func exponent(v float32) uint32 { return math.Float32bits(v) & infinite }
