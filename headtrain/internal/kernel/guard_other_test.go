//go:build !linux && !darwin

package kernel

import "testing"

// guarded returns n floats; pages are protected on other systems only.
func guarded(_ testing.TB, n int, _ bool) []float32 { return make([]float32, n) }
