package features

import (
	"context"
	"errors"
	"maps"
	"slices"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// Merger brings rows that other processes computed into a cache. It can be stopped at any
// time; another one goes on from there.
type Merger struct {
	store   *Store
	ds      *dataset.Dataset
	earlier *dataset.Dataset // as the cache had it; nil if it had not
	space   Space
	journal *journal.Journal

	w        *cache.Writer
	producer cache.Producer
	looks    *measuring
	known    map[uint64]extract.Measures
	bad      failures

	waiting []Outcome // whose measures are not put yet
	added   int
}

// mergeBatch is how many rows wait for their measures to be put.
const mergeBatch = 1024

// NewMerger begins to bring rows of a space into a cache, those of items of ds. Earlier is what
// the cache has of the dataset; nil is nothing. The merger closes neither store nor journal.
func NewMerger(store *Store, ds, earlier *dataset.Dataset, space Space, j *journal.Journal) (m *Merger, err error) {
	m = &Merger{store: store, ds: ds, earlier: earlier, space: space, journal: j}
	if m.w, err = store.writer(); err != nil {
		return nil, err
	}
	if m.bad, err = loadFailures(store, space.ID); err != nil {
		return nil, errors.Join(err, m.w.Close())
	}
	m.known, _ = loadMeasures(store, space.ID)
	m.looks = openMeasuring(store, space.ID)
	return m, nil
}

// Add takes what came of an item. It copies the feature.
func (m *Merger) Add(o Outcome) error {
	it := &m.ds.Items[o.Item]
	it.Hash = o.Key
	if o.Feature == nil {
		if it.Hashed() {
			m.bad.remember(o.Key, o.Failure)
		}
		return nil
	}
	m.bad.remove(o.Key)
	o.Feature = slices.Clone(o.Feature)
	if m.waiting = append(m.waiting, o); len(m.waiting) >= mergeBatch {
		return m.put()
	}
	return nil
}

// put hands over the rows that wait, their measures first.
func (m *Merger) put() error {
	var keys []cache.Key
	var traits []extract.Traits
	for _, o := range m.waiting {
		if _, there := m.known[measuresKey(o.Key)]; o.Measured && !there {
			m.known[measuresKey(o.Key)] = o.Measures
			keys, traits = append(keys, o.Key), append(traits, extract.Traits{Measures: o.Measures})
		}
	}
	if len(keys) > 0 {
		if err := m.looks.put(m.w, keys, traits); err != nil {
			return err
		}
	}
	for _, o := range m.waiting {
		if m.added == 0 || o.Producer != m.producer {
			space, err := m.space.ofCache()
			if err != nil {
				return err
			}
			if err := m.w.Space(space, o.Producer); err != nil {
				return err
			}
			m.producer = o.Producer
		}
		if err := m.w.Put(m.space.ID, o.Key, o.Feature); err != nil {
			return err
		}
		m.added++
	}
	m.journal.Add(len(m.waiting))
	m.waiting = m.waiting[:0]
	return nil
}

// Finish keeps what was added, splits the dataset and keeps it, too. The source closes the
// store.
func (m *Merger) Finish(ctx context.Context) (*Cached, error) {
	if err := m.put(); err != nil {
		return nil, errors.Join(err, m.w.Close())
	}
	docs, err := m.bad.documents(m.space.ID)
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		err = errors.Join(err, m.w.PutDoc(name, docs[name]))
	}
	if err := errors.Join(err, m.w.Close(), m.store.c.Refresh()); err != nil {
		return nil, err
	}
	m.store.added += m.added
	m.ds.Split = m.ds.Split.Effective(m.ds)
	if err := m.store.storeDataset(ctx, m.ds, m.earlier, dataset.ForTraining, m.space.ID, m.journal); err != nil {
		return nil, err
	}
	c := &Cached{store: m.store, ds: m.ds, space: m.space}
	c.count(m.bad)
	return c, nil
}

// Abandon keeps what was added as far as it is whole, and ends the merger.
func (m *Merger) Abandon() { _ = m.w.Close() }
