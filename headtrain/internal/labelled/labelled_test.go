package labelled

import (
	"slices"
	"testing"
)

func TestSamplesAreOfAllClassesAndInOrder(t *testing.T) {
	rows := make([]int32, 1000)
	for i := range rows {
		rows[i] = int32(3 * i)
	}
	for most := 1; most <= 1001; most++ {
		some := Sample(rows, most)
		seen := map[int32]bool{}
		for i, r := range some {
			seen[r%10] = true // classes that take turns
			if r%3 != 0 || r >= 3000 || i > 0 && r <= some[i-1] {
				t.Fatalf("%d of 1000 rows: %v", most, some)
			}
		}
		if len(some) != min(most, 1000) || most >= 200 && len(seen) != 10 {
			t.Fatalf("%d of 1000 rows: %d, of %d classes", most, len(some), len(seen))
		}
	}
	if &Sample(rows, 1000)[0] != &rows[0] || !slices.Equal(Sample(rows, 77), Sample(rows, 77)) {
		t.Error("rows were copied, or drawn anew")
	}
}
