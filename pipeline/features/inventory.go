package features

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// Inventory is what the cache has of a dataset: which items have a feature, which are
// known to be bad, and which remain to be computed.
type Inventory struct {
	Todo []int // items to compute, in the order in which they are

	ds      *dataset.Dataset
	earlier *dataset.Dataset // as the cache had it; nil if it had not
	purpose dataset.Purpose

	bad      failures
	outdated map[cache.Key]bool // contents whose rows are to be computed again
	tried    quarantine
	found    Found
}

// LookUp gives items their content hash where the cache remembers it for an unchanged
// file, and finds the features that are there. It opens no image. Earlier is what the
// cache knows of the dataset, or nil. The dataset keeps the parts that earlier assigned,
// if its split is the same. The first time that a newer version reads some kinds of image with
// other pixels, the beginnings of images are looked at, which an end of ctx interrupts; see
// [extract.Redecoded].
func (c *Computer) LookUp(ctx context.Context, ds, earlier *dataset.Dataset, p dataset.Purpose) (*Inventory, error) {
	c.journal.Start("look up", len(ds.Items))
	inv := &Inventory{ds: ds, earlier: earlier, purpose: p, tried: quarantine{}}
	inv.found.Dataset, inv.found.Images = ds.Name, len(ds.Items)
	inv.found.Skipped = ds.Skipped
	inv.found.setSpace(c.space)
	ds.Split = ds.Split.Effective(ds)
	var err error
	if inv.bad, err = loadFailures(c.store, c.space.ID); err != nil {
		return nil, err
	}
	if err := ds.Recollect(c.store, earlier); err != nil {
		return nil, err
	}
	ds.AdoptParts(earlier)
	there := c.there(ds)
	if inv.outdated, err = c.outdated(ctx, inv, there, ds.Document(p)); err != nil {
		return nil, err
	}
	for i := range ds.Items {
		it := &ds.Items[i]
		if there[i] {
			inv.found.Hits++
			continue
		}
		reason, known := inv.bad.known(it.Hash, c.options)
		switch {
		case it.Hashed() && known && !c.options.RetryFailed:
			inv.tried[ds.Display(it)] = reason
			inv.found.KnownBad++
		default:
			inv.Todo = append(inv.Todo, i)
		}
	}
	inv.Todo = inOrder(ds, inv.Todo)
	return inv, nil
}

// there tells the items whose rows the cache has. To look one up is a wait for memory, as a
// rule, so that all processors do it.
func (c *Computer) there(ds *dataset.Dataset) []bool {
	const share = 1 << 16
	there := make([]bool, len(ds.Items))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < len(there); from += share {
		g.Go(func() error {
			for i := from; i < min(from+share, len(there)); i++ {
				it := &ds.Items[i]
				there[i] = it.Hashed() && c.store.has(c.space.ID, it.Hash)
			}
			return nil
		})
	}
	_ = g.Wait() // none fails
	return there
}

// Found counts what there is, as far as is known by now.
func (inv *Inventory) Found() Found {
	f := inv.found
	f.Misses = f.Images - f.Hits - f.KnownBad
	f.Quarantined, f.Quarantine = len(inv.tried), inv.tried.list()
	return f
}

// storeDataset splits a dataset and stores it in the cache, unless just that is there. Items
// whose content is known only now get the parts that they had in earlier first.
func (s *Store) storeDataset(ctx context.Context, ds, earlier *dataset.Dataset, p dataset.Purpose, space string, j *journal.Journal) error {
	ds.AdoptParts(earlier)
	if err := s.assignParts(ctx, ds, space, j); err != nil {
		return err
	}
	if ds.IsAsKept(earlier, p) {
		return nil
	}
	doc, err := ds.Encode()
	if err != nil {
		return err
	}
	name := ds.Document(p)
	if was, err := s.Doc(name); err == nil && string(was) == string(doc) {
		return nil
	}
	return s.putDoc(name, doc)
}
