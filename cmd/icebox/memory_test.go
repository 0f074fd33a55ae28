package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestMemoryIsBoundedUnlessGoIsTold(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}()
	for _, c := range []struct {
		env       map[string]string
		available int64
		percent   int
		limit     int64
	}{
		{nil, 512 << 20, garbage, 512 << 20 / 100 * 85},
		{nil, 0, garbage, math.MaxInt64},
		{map[string]string{"GOGC": "100", "GOMEMLIMIT": "1GiB"}, 512 << 20, 100, math.MaxInt64},
	} {
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(math.MaxInt64)
		boundMemory(func(key string) string { return c.env[key] }, c.available)
		if gotLimit, gotPercent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100); gotPercent != c.percent || gotLimit != c.limit {
			t.Errorf("%v, %d available: %d %%, limit %d", c.env, c.available, gotPercent, gotLimit)
		}
	}
}
