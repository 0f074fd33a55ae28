//go:build !linux && !darwin

package kernel

import "testing"

// guarded has no guard pages here.
func guarded(_ testing.TB, n int, _ bool) []float32 { return make([]float32, n) }
