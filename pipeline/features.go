package pipeline

import (
	"context"
	"path/filepath"
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
	remember(j.ds, j.earlier)
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

// remember copies the hashes of unchanged files from the earlier scan.
func remember(ds, earlier *Dataset) {
	if earlier == nil {
		return
	}
	type known struct {
		stat fileStat
		hash cache.Key
	}
	memo := make(map[string]known, len(earlier.Items))
	for i := range earlier.Items {
		if it := &earlier.Items[i]; it.Hashed() && it.Stat != (fileStat{}) {
			memo[earlier.Roots[it.Root].Dir+"\x00"+it.Path] = known{it.Stat, it.Hash}
		}
	}
	for i := range ds.Items {
		it := &ds.Items[i]
		if k, ok := memo[ds.Roots[it.Root].Dir+"\x00"+it.Path]; ok && k.stat == it.Stat {
			it.Hash = k.hash
		}
	}
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
	return todo
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
