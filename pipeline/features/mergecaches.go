package features

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// Merged says what a merge of caches did.
type Merged struct {
	Rows     int      `json:"rows"`     // that were added
	Datasets []string `json:"datasets"` // that were added
	Kept     []string `json:"kept"`     // that the cache had otherwise, and kept
}

// MergeCaches adds the rows, datasets, bad contents and measures of caches to a cache. All of
// them must have rows of the same spaces (else an [ErrOtherFeatures]). What the cache has
// stays. It can be stopped at any time, and goes on from there.
func MergeCaches(ctx context.Context, store *Store, from []string, j *journal.Journal) (out Merged, err error) {
	var sources []*Store
	defer func() {
		for _, s := range sources {
			err = errors.Join(err, s.c.Close())
		}
	}()
	for _, path := range from {
		if abs, err := filepath.Abs(path); err == nil && abs == store.path {
			return out, fmt.Errorf("%w: %s would be merged into itself", dataset.ErrData, path)
		}
		c, err := cache.Open(path, store.opts)
		if err != nil {
			return out, err
		}
		sources = append(sources, &Store{path: path, c: c})
	}
	if err := sameSpaces(sources, store); err != nil {
		return out, err
	}
	w, err := store.writer()
	if err != nil {
		return out, err
	}
	for _, s := range sources {
		if err == nil {
			err = out.add(ctx, store, w, s, j)
		}
	}
	return out, errors.Join(err, w.Close(), store.c.Refresh())
}

// sameSpaces returns an [ErrOtherFeatures] unless all have rows of the same spaces; a cache
// to merge into that has none yet takes any.
func sameSpaces(sources []*Store, into *Store) error {
	ids := func(s *Store) (ids []string) {
		if s.c == nil {
			return nil
		}
		for _, space := range s.c.Spaces() {
			ids = append(ids, space.ID)
		}
		slices.Sort(ids)
		return ids
	}
	first := ids(sources[0])
	for _, s := range append(sources[1:], into) {
		have := ids(s)
		if s == into && len(have) == 0 {
			continue
		}
		if !slices.Equal(have, first) {
			return fmt.Errorf("%w: %s has features of spaces %.12q, and %s of %.12q", ErrOtherFeatures, s.path, have, sources[0].path, first)
		}
	}
	return nil
}

// add brings what one cache has.
func (out *Merged) add(ctx context.Context, store *Store, w *cache.Writer, from *Store, j *journal.Journal) error {
	for _, s := range from.c.Spaces() {
		if err := store.mergeBorn(w, from, s.ID); err != nil {
			return err
		}
		if err := out.addRows(ctx, store, w, from, s.Space, j); err != nil {
			return err
		}
		if err := addFailures(store, w, from, s.ID); err != nil {
			return err
		}
	}
	for _, p := range dataset.Purposes {
		for _, name := range from.Docs(string(p)) {
			doc, err := from.Doc(name)
			if err != nil {
				return err
			}
			switch have, err := store.Doc(name); {
			case errors.Is(err, cache.ErrNoDoc):
				if err := w.PutDoc(name, doc); err != nil {
					return err
				}
				out.Datasets = append(out.Datasets, name)
			case err != nil:
				return err
			case !bytes.Equal(have, doc):
				out.Kept = append(out.Kept, name)
			}
		}
	}
	return errors.Join(w.Flush(), store.c.Refresh())
}

// addRows copies the rows of a space that are not there, and what was measured of their
// pictures.
func (out *Merged) addRows(ctx context.Context, store *Store, w *cache.Writer, from *Store, s cache.Space, j *journal.Journal) error {
	measures, err := loadMeasures(from, s.ID)
	if err != nil {
		return err
	}
	looks := openMeasuring(store, s.ID)
	j.Start("merge", from.c.Len(s.ID))
	x := make([]float32, mergeBatch*s.Dim)
	for keys := range chunks(from.c.Keys(s.ID), mergeBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		j.Add(len(keys))
		keys = slices.DeleteFunc(keys, func(k cache.Key) bool { return store.has(s.ID, k) })
		if len(keys) == 0 {
			continue
		}
		if err := from.lookUp(s.ID, keys, x[:len(keys)*s.Dim]); err != nil {
			return err
		}
		if err := putKnown(looks, w, keys, measures); err != nil {
			return err
		}
		var made cache.Producer
		for n, k := range keys {
			p, _ := from.c.Producer(s.ID, k)
			if n == 0 || p != made {
				if made = p; w.Space(s, p) != nil {
					return w.Space(s, p)
				}
			}
			if err := w.Put(s.ID, k, x[n*s.Dim:(n+1)*s.Dim]); err != nil {
				return err
			}
		}
		out.Rows += len(keys)
	}
	store.added += out.Rows
	return nil
}

// putKnown puts what is known of the pictures of keys.
func putKnown(looks *measuring, w *cache.Writer, keys []cache.Key, known map[uint64]extract.Measures) error {
	var with []cache.Key
	var traits []extract.Traits
	for _, k := range keys {
		if m, ok := known[measuresKey(k)]; ok {
			with, traits = append(with, k), append(traits, extract.Traits{Measures: m})
		}
	}
	if len(with) == 0 {
		return nil
	}
	return looks.put(w, with, traits)
}

// addFailures adds the contents that are known to be bad, unless they have a feature.
func addFailures(store *Store, w *cache.Writer, from *Store, space string) error {
	have, err := loadFailures(store, space)
	if err != nil {
		return err
	}
	more, err := loadFailures(from, space)
	if err != nil {
		return err
	}
	for k, reason := range more.reasons {
		if _, known := have.reasons[k]; !known && !store.has(space, k) {
			have.remember(k, Failure{reason, more.limits[k], more.memory[k]})
		}
	}
	docs, err := have.documents(space)
	for name, doc := range docs {
		if doc != nil {
			err = errors.Join(err, w.PutDoc(name, doc))
		}
	}
	return err
}

// chunks yields what seq yields, some at a time. A chunk is the caller's until the next one.
func chunks[T any](seq iter.Seq[T], size int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		var chunk []T
		for v := range seq {
			if chunk = append(chunk, v); len(chunk) == size {
				if !yield(chunk) {
					return
				}
				chunk = chunk[:0]
			}
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}
