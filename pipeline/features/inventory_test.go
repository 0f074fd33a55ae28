package features

import (
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
	got := interleaved(ds, todo)
	for n, i := range got {
		if int(ds.Items[i].Label) != n%3 {
			t.Fatalf("order %v", got)
		}
	}
}
