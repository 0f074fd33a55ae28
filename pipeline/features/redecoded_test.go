package features

import (
	"maps"
	"slices"
	"testing"

	"icebox/cache"
)

// What an older version refused is tried again if a newer one may read it, and nothing else is.
func TestOnlyWhatMayBeReadNowIsForgotten(t *testing.T) {
	tiff, jpeg, png := cache.Key{1}, cache.Key{2}, cache.Key{3}
	for at, want := range [][]cache.Key{{png}, {jpeg, png}, {tiff, jpeg, png}} {
		f := failures{
			reasons: map[cache.Key]string{
				tiff: "this TIFF is not supported: color model (save it as a plain JPEG or PNG)",
				jpeg: "truncated JPEG: the file ends before the image does",
				png:  "truncated PNG: the file ends before the image does",
			},
			limits: map[cache.Key]int64{tiff: 1},
			memory: map[cache.Key]int64{jpeg: 1},
		}
		f.forget(at)
		left := slices.SortedFunc(maps.Keys(f.reasons), func(a, b cache.Key) int { return int(a[0]) - int(b[0]) })
		if !slices.Equal(left, want) || len(f.limits)+len(f.memory) != at {
			t.Errorf("of a version %d %v is left, not %v", at, left, want)
		}
	}
}
