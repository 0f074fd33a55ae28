package kernel

import (
	"testing"

	"icebox/extract/internal/guardtest"
)

// guarded returns n floats that end (or, with head, begin) at a page that may not
// be touched, so that a kernel that strays faults.
func guarded(t testing.TB, n int, head bool) []float32 { return guardtest.Slice[float32](t, n, head) }
