package features

import (
	"context"
	"iter"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
)

// Outcome is what came of an item: a feature, or why there is none.
type Outcome struct {
	Item     int // of the dataset, by index
	Key      cache.Key
	Feature  []float32 // [extract.Dim]; nil where there is none
	Producer cache.Producer
	Measured bool
	Measures extract.Measures // of the picture, if it was measured
	Failure  Failure          // where there is no feature
}

// Failure is why an image has no feature. Pixels or Memory is the limit that refused it, as
// [failures] remembers it; 0 is none.
type Failure struct {
	Reason         string
	Pixels, Memory int64
}

// Shard computes what the cache lacks of ds, a piece of a larger dataset, and keeps no
// dataset to train on. It is an [ErrFailureBudget] where too many of its images are bad. The
// source closes the store.
func (c *Computer) Shard(ctx context.Context, ds *dataset.Dataset) (*Cached, error) {
	src := &Cached{store: c.store, ds: ds, space: c.space, work: c.Idle()}
	inv, err := c.LookUp(ctx, ds, nil, dataset.ForPrediction)
	if err != nil {
		return src, err
	}
	c.journal.Stage("extract")
	src.work, err = c.Compute(ctx, inv)
	if err == nil {
		err = inv.tried.checkBudget(len(ds.Items), c.options.MaxFailureRate)
	}
	src.found = inv.Found()
	return src, err
}

// Outcomes yields what came of every item, in the dataset's order. A feature is the caller's
// until the next outcome.
func (c *Cached) Outcomes() iter.Seq2[Outcome, error] {
	return func(yield func(Outcome, error) bool) {
		bad, err := loadFailures(c.store, c.space.ID)
		if err != nil {
			yield(Outcome{}, err)
			return
		}
		known, _ := loadMeasures(c.store, c.space.ID) // what is not known is measured again some day
		unread := map[string]string{}
		for _, b := range c.found.Quarantine {
			unread[b.Path] = b.Reason
		}
		failed := func(i int) Outcome {
			it := &c.ds.Items[i]
			f := Failure{bad.reasons[it.Hash], bad.limits[it.Hash], bad.memory[it.Hash]}
			if f.Reason == "" {
				f = Failure{Reason: unread[c.ds.Display(it)]}
			}
			return Outcome{Item: i, Key: it.Hash, Failure: f}
		}
		next := 0
		for chunk, err := range c.Chunks(exportBlock) {
			if err != nil {
				yield(Outcome{}, err)
				return
			}
			for row, i := range chunk.Items {
				for ; next < i; next++ {
					if !yield(failed(next), nil) {
						return
					}
				}
				o := Outcome{Item: i, Key: c.ds.Items[i].Hash, Feature: chunk.X[row*extract.Dim:][:extract.Dim]}
				o.Producer, _ = c.store.c.Producer(c.space.ID, o.Key)
				o.Measures, o.Measured = known[measuresKey(o.Key)]
				if next = i + 1; !yield(o, nil) {
					return
				}
			}
		}
		for ; next < len(c.ds.Items); next++ {
			if !yield(failed(next), nil) {
				return
			}
		}
	}
}

// EncodeMeasures returns measures in the 17 bytes that [DecodeMeasures] takes.
func EncodeMeasures(m extract.Measures) []byte {
	return appendMeasures(nil, cache.Key{}, m)[8:]
}

// DecodeMeasures reads what EncodeMeasures wrote; ok is false for anything else.
func DecodeMeasures(b []byte) (m extract.Measures, ok bool) {
	if len(b) != measuresBytes-8 {
		return m, false
	}
	return parseMeasures(append(make([]byte, 8, measuresBytes), b...)), true
}
