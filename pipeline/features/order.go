package features

import (
	"maps"
	"slices"

	"icebox/pipeline/dataset"
)

// inOrder orders the items to compute: so that all classes grow alike, each in its own order,
// and a head can be trained while the rest is still being extracted. The images of parquet
// files come last, in the order of the files, because many are decoded at a time.
func inOrder(ds *dataset.Dataset, todo []int) []int {
	byLabel := map[int32][]int{}
	var rows []int
	for _, i := range todo {
		it := &ds.Items[i]
		if inParquet(ds, it) {
			rows = append(rows, i)
		} else {
			byLabel[it.Label] = append(byLabel[it.Label], i)
		}
	}
	labels := slices.Sorted(maps.Keys(byLabel))
	out := todo[:0:0]
	for n := 0; len(out)+len(rows) < len(todo); n++ {
		for _, l := range labels {
			if n < len(byLabel[l]) {
				out = append(out, byLabel[l][n])
			}
		}
	}
	return append(out, rows...)
}

func inParquet(ds *dataset.Dataset, it *dataset.Item) bool {
	return ds.Roots[it.Root].Kind == dataset.Parquet
}

// holdOf is how much of the memory for images is for pages of parquet files: half of it,
// where there are any.
func (inv *Inventory) holdOf(memory int64) int64 {
	if len(inv.Todo) > 0 && inParquet(inv.ds, &inv.ds.Items[inv.Todo[len(inv.Todo)-1]]) {
		return memory / 2
	}
	return 0
}

// batchSize is how many images a worker takes at a time: size, or fewer where the images that
// all workers are at would take more than half of the pages that may be held. A page would
// then be decoded again for those who lag behind.
func (inv *Inventory) batchSize(size, workers int, hold int64) int {
	largest := int64(1)
	for _, i := range inv.Todo {
		if it := &inv.ds.Items[i]; inParquet(inv.ds, it) {
			largest = max(largest, it.Stat.Size)
		}
	}
	if largest == 1 {
		return size
	}
	return int(max(1, min(int64(size), hold/2/largest/int64(2*workers))))
}
