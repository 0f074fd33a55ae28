package features

import (
	"testing"

	"icebox/pipeline/dataset"
)

// What all workers are at, and as much again, fits into the pages that are held.
func TestBatchesOfRowsFitIntoThePagesThatAreHeld(t *testing.T) {
	for _, c := range []struct {
		kind         string
		image        int64
		memory       int64
		size         int
		workers      int
		batch, holds int64
	}{
		{"", 1 << 20, 1 << 30, 16, 4, 16, 0},
		{dataset.Tar, 1 << 20, 1 << 30, 16, 4, 16, 0},
		{dataset.Parquet, 100 << 10, 1 << 30, 16, 4, 16, 1 << 29},
		{dataset.Parquet, 1 << 20, 64 << 20, 16, 2, 4, 32 << 20},
		{dataset.Parquet, 100 << 20, 64 << 20, 16, 2, 1, 32 << 20},
	} {
		inv := &Inventory{Todo: []int{0}, ds: &dataset.Dataset{Roots: []dataset.Root{{Kind: c.kind}}, Items: []dataset.Item{{Stat: dataset.Stat{Size: c.image}}}}}
		hold := inv.holdOf(c.memory)
		if got := inv.batchSize(c.size, c.workers, hold); hold != c.holds || got != int(c.batch) {
			t.Errorf("%+v: batches of %d, %d bytes held", c, got, hold)
		}
	}
}
