package features

import (
	"context"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/probe"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// assignParts gives items their parts. Where the split keeps near copies together, it
// compares all rows with each other first, unless every item has its part.
func (s *Store) assignParts(ctx context.Context, ds *dataset.Dataset, space string, j *journal.Journal) error {
	near, err := s.nearPairs(ctx, ds, space, j)
	if err != nil {
		return err
	}
	ds.AssignParts(near)
	return nil
}

// nearPairs are the items, by index, whose features are those of near copies, the nearest
// first; nil where nobody asks.
func (s *Store) nearPairs(ctx context.Context, ds *dataset.Dataset, space string, j *journal.Journal) ([][2]int, error) {
	if !ds.Split.Near {
		return nil, nil
	}
	var items []int
	var keys []cache.Key
	open := false // some item has no part yet
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Hashed() && s.has(space, it.Hash) {
			items, keys = append(items, i), append(keys, it.Hash)
			open = open || it.Part == dataset.Unassigned
		}
	}
	if !open {
		return nil, nil
	}
	j.Start("copies", 0)
	d := &headtrain.Dataset{X: headtrain.NewFeatures(len(keys) * extract.Dim), Dim: extract.Dim, Labels: make([]int32, len(keys)), Classes: []string{""}}
	if err := s.lookUp(space, keys, d.X); err != nil {
		return nil, err
	}
	white, err := probe.Whiten(ctx, d)
	if err != nil {
		return nil, err
	}
	found, _, err := probe.Copies(ctx, white, probe.NearCosine)
	pairs := make([][2]int, len(found))
	for n, p := range found {
		pairs[n] = [2]int{items[p.I], items[p.J]}
	}
	return pairs, err
}
