package pipeline

import (
	"maps"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/sweep"
)

// Ranges returns the ranges of the numbers in [Options], by field: each is that of the
// field's owner.
func Ranges() map[string]headtrain.Range {
	share := headtrain.From(0).To(1)
	all := map[string]headtrain.Range{
		"Extract.Workers": headtrain.From(0).To(1024), "Extract.BatchSize": headtrain.From(1).To(1024), "Extract.MaxPixels": headtrain.From(1), "Extract.Memory": headtrain.From(0),
		"Extract.MaxFailureRate": share, "Answers.Reject.Precision": share, "Answers.Reject.Coverage": share,
	}
	maps.Insert(all, below("Head", headtrain.Ranges()))
	maps.Insert(all, below("Data", dataset.Ranges()))
	maps.Insert(all, below("Sweep", sweep.Ranges()))
	return all
}

// Choices returns the words that a text in [Options] may be, by field, where they are
// few and known to this package.
func Choices() map[string][]string {
	all := map[string][]string{
		"Backbone.Name": {"resnet18"}, "Tune": {TuneAuto, TuneOff}, "Cache.DType": {string(cache.Float32), string(cache.Float16)},
	}
	backbone := extract.Choices()
	for _, field := range []string{"Fit", "Truncated"} {
		all["Extract."+field] = backbone[field]
		delete(backbone, field)
	}
	maps.Insert(all, below("Backbone", backbone))
	all["Data.Reading.Layout"] = dataset.Layouts
	maps.Insert(all, below("Head", headtrain.Choices()))
	maps.Insert(all, below("Sweep", sweep.Choices()))
	return all
}

// below puts a section before the fields of its owner.
func below[T any](section string, fields map[string]T) func(yield func(string, T) bool) {
	return func(yield func(string, T) bool) {
		for field, v := range fields {
			if !yield(section+"."+field, v) {
				return
			}
		}
	}
}
