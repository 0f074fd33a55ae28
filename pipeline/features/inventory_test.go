package features

import (
	"slices"
	"testing"

	"icebox/pipeline/dataset"
)

func TestClassesGrowAlikeWhileExtracting(t *testing.T) {
	ds := &dataset.Dataset{}
	for c := range 3 {
		for range 4 {
			ds.Items = append(ds.Items, dataset.Item{Label: int32(c)})
		}
	}
	todo := make([]int, len(ds.Items))
	for i := range todo {
		todo[i] = i
	}
	ds.Roots = []dataset.Root{{}, {Kind: dataset.Parquet}}
	got := inOrder(ds, todo)
	for n, i := range got {
		if int(ds.Items[i].Label) != n%3 {
			t.Fatalf("order %v", got)
		}
	}
	for _, i := range []int{0, 5, 6} {
		ds.Items[i].Root = 1
	}
	got = inOrder(ds, todo)
	if !slices.Equal(got[9:], []int{0, 5, 6}) || int(ds.Items[got[0]].Label)+int(ds.Items[got[1]].Label)+int(ds.Items[got[2]].Label) != 3 {
		t.Errorf("rows of a parquet file are not the last ones in their order: %v", got)
	}
}
