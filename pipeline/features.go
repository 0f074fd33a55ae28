package pipeline

import (
	"context"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"time"

	"icebox/cache"
)

// lookUp gives items their content hash where the cache remembers it for an
// unchanged file, and finds the features that are there. It opens no image.
func lookUp(_ context.Context, j *job) error {
	j.progress.Start("look up", len(j.ds.Items))
	j.found = make([]bool, len(j.ds.Items))
	j.bad = failures{}
	j.ds.Split = effectiveSplit(j.ds, j.opts.Data.Split)
	if j.cache == nil {
		return nil
	}
	var err error
	if j.bad, err = loadFailures(j.cache, j.space.ID); err != nil {
		return err
	}
	if err := j.remember(); err != nil {
		return err
	}
	keepParts(j.ds, j.earlier)
	for i := range j.ds.Items {
		it := &j.ds.Items[i]
		if it.Hashed() && j.cache.Has(j.space.ID, it.Hash) {
			j.found[i] = true
			j.sum.Hits++
		}
	}
	return nil
}

// memoKey finds a file again: by name and stat where the system numbers files and
// says when each last changed, so that a moved folder is known; else by path and
// stat.
type memoKey struct {
	name string
	stat fileStat
}

func (d *Dataset) memoKey(it *Item) memoKey {
	if it.Stat.Inode != 0 && it.Stat.CTime != 0 {
		return memoKey{path.Base(it.Path), it.Stat}
	}
	return memoKey{d.File(it), it.Stat}
}

// remember gives items the hash that a dataset of the cache has for the same,
// unchanged file.
func (j *job) remember() error {
	memo := map[memoKey]cache.Key{}
	for _, prefix := range []string{datasetPrefix, evalPrefix} {
		for _, name := range documents(j.cache, prefix) {
			known := j.earlier
			if known == nil || known.Name != name {
				var err error
				if known, err = loadDataset(j.cache, prefix, name); err != nil {
					return err
				}
			}
			for i := range known.Items {
				if it := &known.Items[i]; it.Hashed() && it.Stat != (fileStat{}) {
					memo[known.memoKey(it)] = it.Hash
				}
			}
		}
	}
	for i := range j.ds.Items {
		it := &j.ds.Items[i]
		if h, ok := memo[j.ds.memoKey(it)]; ok {
			it.Hash = h
		}
	}
	return nil
}

// missing lists the items to extract: without a feature, and not known to be bad.
// Known bad ones go to quarantine.
func (j *job) missing() []int {
	var todo []int
	for i := range j.ds.Items {
		if j.found[i] {
			continue
		}
		it := &j.ds.Items[i]
		if reason, known := j.bad[it.Hash]; known && it.Hashed() && !j.opts.Extract.RetryFailed {
			j.tried[j.ds.Display(it)] = reason
			j.sum.KnownBad++
			continue
		}
		todo = append(todo, i)
	}
	return interleaved(j.ds, todo)
}

// interleaved orders items so that all classes grow alike, each in its own order:
// a head can be trained while the rest is still being extracted.
func interleaved(ds *Dataset, todo []int) []int {
	byLabel := map[int32][]int{}
	for _, i := range todo {
		l := ds.Items[i].Label
		byLabel[l] = append(byLabel[l], i)
	}
	labels := slices.Sorted(maps.Keys(byLabel))
	out := todo[:0:0]
	for n := 0; len(out) < len(todo); n++ {
		for _, l := range labels {
			if n < len(byLabel[l]) {
				out = append(out, byLabel[l][n])
			}
		}
	}
	return out
}

// keepDataset splits the dataset and keeps it in the cache, if it is not there
// just so already.
func keepDataset(_ context.Context, j *job) error {
	keepParts(j.ds, j.earlier)
	assignParts(j.ds)
	if j.sameAsEarlier() {
		return j.tried.checkBudget(len(j.ds.Items), j.opts.Extract.MaxFailureRate)
	}
	if err := j.makeCache(); err != nil {
		return err
	}
	if err := j.storeDataset(); err != nil {
		return err
	}
	return j.tried.checkBudget(len(j.ds.Items), j.opts.Extract.MaxFailureRate)
}

// sameAsEarlier reports whether the cache's dataset says what j.ds says.
func (j *job) sameAsEarlier() bool {
	if j.earlier == nil {
		return false
	}
	was, err := j.earlier.encode()
	if err != nil {
		return false
	}
	is, err := j.ds.encode()
	return err == nil && string(was) == string(is)
}

// makeCache opens the cache file, making it if there is none.
func (j *job) makeCache() error {
	if j.cache != nil {
		return nil
	}
	path, err := filepath.Abs(j.opts.Cache.Path)
	if err != nil {
		return err
	}
	j.cache, err = cache.OpenOrCreate(path, cache.Options{})
	return err
}

// trusted returns the stat to remember a file by: none if it was changed too
// shortly before it was read.
func trusted(s fileStat, read time.Time) fileStat {
	if s.racy(read) {
		return fileStat{}
	}
	return s
}
