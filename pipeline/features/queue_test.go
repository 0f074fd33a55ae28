package features

import (
	"slices"
	"testing"
)

func TestQueueHandsOutEachItemOnceAndEvenlyAtTheEnd(t *testing.T) {
	for _, c := range []struct {
		items, workers, most int
		want                 []int // sizes
	}{
		{0, 2, 16, nil},
		{1, 4, 16, []int{1}},
		{10, 2, 16, []int{5, 5}},
		{45, 2, 16, []int{16, 15, 14}},
		{5, 1, 2, []int{2, 2, 1}},
	} {
		q := queue{items: make([]int, c.items), size: c.most, workers: c.workers}
		for i := range q.items {
			q.items[i] = i
		}
		var sizes, seen []int
		for taken := q.take(); len(taken) > 0; taken = q.take() {
			sizes, seen = append(sizes, len(taken)), append(seen, taken...)
		}
		if !slices.Equal(sizes, c.want) {
			t.Errorf("%d items for %d workers: batches of %v, want %v", c.items, c.workers, sizes, c.want)
		}
		if len(seen) != c.items || !slices.IsSorted(seen) {
			t.Errorf("%d items for %d workers: handed out %v", c.items, c.workers, seen)
		}
	}
}
