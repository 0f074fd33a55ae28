package features

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
	"icebox/pipeline/npy"
)

// ErrNotExtracted is returned where features are needed that the cache lacks.
var ErrNotExtracted = errors.New("features missing")

// Cached is a source whose rows lie in the cache.
type Cached struct {
	store *Store
	ds    *dataset.Dataset
	space Space
	found Found
	work  Work

	spools []*spool // rows that memory cannot hold
	pagers []*pager
}

var _ Source = (*Cached)(nil)

// Dataset implements [Source].
func (c *Cached) Dataset() *dataset.Dataset { return c.ds }

// Origin implements [Source].
func (c *Cached) Origin() Origin {
	return Origin{Space: c.space, Cache: c.store.path, Dim: extract.Dim}
}

// Found implements [Source].
func (c *Cached) Found() Found { return c.found }

// Work implements [Source].
func (c *Cached) Work() Work { return c.work }

// Close closes the cache, and lets go of rows that memory could not hold.
func (c *Cached) Close() error {
	for _, p := range c.pagers {
		p.Close()
	}
	var errs []error
	for _, s := range c.spools {
		errs = append(errs, s.Close())
	}
	c.pagers, c.spools = nil, nil
	return errors.Join(append(errs, c.store.Close())...)
}

// Paged reports whether the rows of all items take more memory than there is, so that Rows
// lays them out in a file.
func (c *Cached) Paged() bool { return exceedsMemory(c.found.Hits) }

// Bytes is how much the rows of all items take.
func (c *Cached) Bytes() int64 { return int64(c.found.Hits) * rowBytes }

// Rows joins the labelled items that are wanted with their features, by content. It
// implements [Source]. Rows that memory cannot hold are laid out in a file that is mapped: it
// lies beside the cache, has no name, and takes 2 KiB a row until c is closed.
func (c *Cached) Rows(wanted func(*dataset.Item) bool) (*Rows, error) {
	r := &Rows{Data: &headtrain.Dataset{Dim: extract.Dim, Classes: c.ds.Classes}}
	var keys []cache.Key
	for i := range c.ds.Items {
		it := &c.ds.Items[i]
		if it.Label == dataset.Unlabelled || !wanted(it) || !it.Hashed() || !c.store.has(c.space.ID, it.Hash) {
			continue
		}
		r.Items = append(r.Items, i)
		r.Data.Labels = append(r.Data.Labels, it.Label)
		keys = append(keys, it.Hash)
	}
	if len(keys) == 0 {
		return r, nil
	}
	if exceedsMemory(len(keys)) {
		return r, c.spool(r, keys)
	}
	r.Data.X = headtrain.NewFeatures(len(keys) * extract.Dim)
	return r, c.store.lookUp(c.space.ID, keys, r.Data.X)
}

// spool gives r rows that lie in a file.
func (c *Cached) spool(r *Rows, keys []cache.Key) error {
	sp, err := c.store.spoolRows(c.space.ID, keys)
	if err != nil {
		return fmt.Errorf("features that exceed the memory: %w", err)
	}
	c.spools, c.pagers = append(c.spools, sp), append(c.pagers, newPager([]*npy.File{sp.file}))
	r.Data.X, r.Data.Paged, r.Data.Finite = sp.x, true, true
	return nil
}

// Chunk are the features of some items.
type Chunk struct {
	Items []int     // of the dataset, by index, rising, one a row
	X     []float32 // rows × [extract.Dim]; the next chunk takes its place
}

// Chunks yields the features of all items that have one, labelled or not, in the
// dataset's order and up to rows at a time.
func (c *Cached) Chunks(rows int) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		var chunk Chunk
		var keys []cache.Key
		for i := range c.ds.Items {
			if it := &c.ds.Items[i]; it.Hashed() && c.store.has(c.space.ID, it.Hash) {
				chunk.Items, keys = append(chunk.Items, i), append(keys, it.Hash)
			}
			if len(keys) < rows && i+1 < len(c.ds.Items) || len(keys) == 0 {
				continue
			}
			chunk.X = slices.Grow(chunk.X[:0], len(keys)*extract.Dim)[:len(keys)*extract.Dim]
			if err := c.store.lookUp(c.space.ID, keys, chunk.X); err != nil {
				yield(Chunk{}, err)
				return
			}
			if !yield(chunk, nil) {
				return
			}
			chunk.Items, keys = chunk.Items[:0], keys[:0]
		}
	}
}

// Choice picks a dataset and a space of a cache that holds several.
type Choice struct {
	Dataset string // name; "" is the one of the sources in the options, or the only one
	Space   string // ID or the beginning of one; "" is the only one with features of the dataset
	// Backbone, if it is not nil, names the space to take where several fit.
	Backbone *extract.Options
	DType    cache.DType // of that space
	// Made is what the space must agree with.
	Made Made

	// Split is what the dataset is to be split by, unless KeepSplit leaves its parts as
	// they are; images without a part are given one either way.
	Split     dataset.Split
	KeepSplit bool

	// Kept is a folder of pictures that are laid over the dataset; see
	// [dataset.Dataset.AddKept]. "" is none.
	Kept string
}

// OpenCached finds a dataset and its rows in the cache at path. Where the images are at
// hand it stats them, opens none, and notes what has changed. A split that cannot be
// kept, because the cache is locked or read-only, is noted and used all the same.
// For ctx and patience see [OpenStore].
func OpenCached(ctx context.Context, path string, patience time.Duration, data dataset.Options, choice Choice, j *journal.Journal) (*Cached, error) {
	store, err := OpenStore(ctx, path, patience, j)
	if err != nil {
		return nil, err
	}
	c := &Cached{store: store}
	if err := c.find(ctx, data, choice, j); err != nil {
		store.Close()
		return nil, err
	}
	store.noteUse(c.ds.Document(dataset.ForTraining), time.Now())
	return c, nil
}

func (c *Cached) find(ctx context.Context, data dataset.Options, choice Choice, j *journal.Journal) (err error) {
	if c.store.c == nil {
		return fmt.Errorf("%w: there is no cache at %s", ErrNotExtracted, c.store.path)
	}
	if c.ds, err = chooseDataset(c.store, choice.Dataset, data); err != nil {
		return err
	}
	if c.space, err = choice.findSpace(ctx, c.store.c, c.ds); err != nil {
		return err
	}
	bad, err := loadFailures(c.store, c.space.ID)
	if err != nil {
		return err
	}
	if data.Train != "" && !data.Reading.Equal(c.ds.Reading) {
		j.Note("the images were scanned with another layout, exclusion or table columns than are asked for now; to take those up", journal.Step{Do: journal.Extract})
	}
	c.noteChanges(ctx, j)
	if err := c.splitAgain(ctx, choice, j); err != nil {
		return err
	}
	if choice.Kept != "" {
		if err := c.ds.AddKept(choice.Kept); err != nil {
			return err
		}
	}
	c.count(bad)
	if w := c.space.Weights; w.Random() {
		j.Note(fmt.Sprintf("the features come from random weights (seed %d): good for a smoke test, not for a result", w.Seed))
	}
	return nil
}

// count fills c.found.
func (c *Cached) count(bad failures) {
	f, tried := &c.found, quarantine{}
	f.Dataset, f.Images = c.ds.Name, len(c.ds.Items)
	f.setSpace(c.space)
	for i := range c.ds.Items {
		it := &c.ds.Items[i]
		if it.Hashed() && c.store.has(c.space.ID, it.Hash) {
			f.Hits++
		} else if reason, ok := bad.reasons[it.Hash]; ok && it.Hashed() {
			tried[c.ds.Display(it)] = reason
		}
	}
	f.KnownBad, f.Quarantined, f.Quarantine = len(tried), len(tried), tried.list()
	f.Misses = f.Images - f.Hits - f.KnownBad
}

// chooseDataset loads the dataset of the given name, else the one scanned from
// d's sources, else the only one.
func chooseDataset(docs dataset.Docs, name string, d dataset.Options) (*dataset.Dataset, error) {
	if name == "" {
		name = d.Name
	}
	names := dataset.Names(docs, dataset.ForTraining)
	if name != "" {
		ds, err := dataset.Load(docs, dataset.ForTraining, name)
		if errors.Is(err, cache.ErrNoDoc) && len(names) > 0 {
			return nil, fmt.Errorf("%w: the cache has no dataset %q; it has %s", dataset.ErrData, name, strings.Join(names, ", "))
		}
		if errors.Is(err, cache.ErrNoDoc) {
			return nil, fmt.Errorf("%w: the cache has no dataset %q, nor any other", dataset.ErrData, name)
		}
		return ds, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: the cache holds no dataset", ErrNotExtracted)
	}
	var all []*dataset.Dataset
	var unread error
	for _, n := range names {
		ds, err := dataset.Load(docs, dataset.ForTraining, n)
		if errors.Is(err, dataset.ErrDocument) {
			unread = err // which matters where there is no other
			continue
		}
		if err != nil {
			return nil, err
		}
		if d.Train != "" && ds.Sources.Equal(d.Sources()) {
			return ds, nil
		}
		all = append(all, ds)
	}
	if len(all) == 0 {
		return nil, unread
	}
	if d.Train != "" {
		return nil, fmt.Errorf("%w: the cache has no dataset of %s; it has %s", ErrNotExtracted, d.Train, strings.Join(names, ", "))
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return nil, fmt.Errorf("%w: the cache holds %d: %s", ErrChooseDataset, len(all), strings.Join(names, ", "))
}

// findSpace chooses the space by its ID, and by what is known of how it was made; of
// several, the one of the backbone, if one is named.
func (choice Choice) findSpace(ctx context.Context, c *cache.Cache, ds *dataset.Dataset) (Space, error) {
	fit, err := spacesWith(c, choice.Space, ds)
	if err == nil {
		fit, err = choice.Made.among(ctx, fit)
	}
	if err != nil {
		return Space{}, err
	}
	space, err := single(c, fit)
	if err == nil || choice.Backbone == nil {
		return space, err
	}
	x, xerr := extract.Open(ctx, *choice.Backbone)
	if xerr != nil {
		return space, errors.Join(err, xerr)
	}
	defer x.Close()
	return chooseSpace(c, SpaceOf(x, choice.DType).ID, ds)
}

// noteChanges stats the images, if they are at hand, and says what is not as the
// dataset has it.
func (c *Cached) noteChanges(ctx context.Context, j *journal.Journal) {
	if c.ds.Sources.Remote() {
		return // to list a bucket takes a while, and money
	}
	if missing := c.ds.Sources.Missing(); missing != "" {
		j.Tell(fmt.Sprintf("the images are not at %s: only the cache is used", missing))
		return
	}
	changes, err := c.ds.Rescan(ctx, c.store)
	switch {
	case err != nil:
		j.Note(fmt.Sprintf("the images have changed since they were extracted: %v", err))
	case changes.Any():
		j.Note(fmt.Sprintf("since the features were extracted: %v; to take that up", changes), journal.Step{Do: journal.Extract})
	}
}

// splitAgain assigns parts anew if other fractions are wanted than the dataset was
// split by, or if some items have none yet, and keeps them if it can.
func (c *Cached) splitAgain(ctx context.Context, choice Choice, j *journal.Journal) error {
	ds := c.ds
	want := choice.Split.Effective(ds)
	if choice.KeepSplit {
		want = ds.Split
	}
	unassigned := 0
	for i := range ds.Items {
		it := &ds.Items[i]
		if it.Assigned && want != ds.Split {
			it.Part, it.Assigned = dataset.Unassigned, false
		}
		if it.Part == dataset.Unassigned && it.Hashed() {
			unassigned++
		}
	}
	if unassigned == 0 && want == ds.Split {
		return nil
	}
	ds.Split = want
	if err := c.store.assignParts(ctx, ds, c.space.ID, j); err != nil {
		return err
	}
	doc, err := ds.Encode()
	if err == nil {
		err = c.store.putDoc(ds.Document(dataset.ForTraining), doc)
	}
	if errors.Is(err, cache.ErrLocked) || errors.Is(err, ErrReadOnly) {
		j.Note(fmt.Sprintf("the split is not kept: %v", err))
		return nil
	}
	return err
}
