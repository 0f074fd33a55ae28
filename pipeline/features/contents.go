package features

import (
	"errors"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

// Contents are what a cache holds, for people and as JSON; a field, once published, keeps its
// meaning.
type Contents struct {
	Path string `json:"path"`
	cache.Stat
	Datasets []DatasetStat `json:"datasets"`
}

// DatasetStat counts the items of a dataset in the cache.
type DatasetStat struct {
	Name    string `json:"name"`
	Source  string `json:"source"`
	Items   int    `json:"items"`
	Classes int    `json:"classes"`
	Train   int    `json:"train"`
	Val     int    `json:"val"`
	Test    int    `json:"test"`
	Error   string `json:"error,omitempty"` // why nothing is known of it
}

// ReadContents says what the cache at path holds.
func ReadContents(path string) (*Contents, error) {
	store, err := cache.Open(path, cache.Options{})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	c := &Contents{Path: path}
	if c.Stat, err = store.Stat(); err != nil {
		return nil, err
	}
	c.Datasets, err = datasetStats(store)
	return c, err
}

// datasetStats lists the datasets to train on.
func datasetStats(store *cache.Cache) ([]DatasetStat, error) {
	var all []DatasetStat
	for _, name := range dataset.Names(store, dataset.ForTraining) {
		ds, err := dataset.Load(store, dataset.ForTraining, name)
		if errors.Is(err, dataset.ErrDocument) {
			all = append(all, DatasetStat{Name: name, Error: err.Error()})
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, DatasetStat{
			Name: ds.Name, Source: ds.Sources.String(), Items: len(ds.Items), Classes: len(ds.Classes),
			Train: ds.Count(dataset.Train), Val: ds.Count(dataset.Val), Test: ds.Count(dataset.Test),
		})
	}
	return all, nil
}
