package dataset

import (
	"errors"
	"path"
	"reflect"
	"slices"
)

// memoKey finds a file again: by name and stat where the system numbers files and
// says when each last changed, so that a moved folder is known; else by path and
// stat. An image in an archive is found by its place in it, too, and by the archive's size.
type memoKey struct {
	name            string
	stat            Stat
	archive, offset int64 // size of the archive, and the place in it
}

func (d *Dataset) memoKey(it *Item) memoKey {
	k := memoKey{stat: it.Stat, offset: it.Offset}
	if it.Stat.Inode != 0 && it.Stat.CTime != 0 {
		k.name = path.Base(it.Path)
	} else {
		k.name = d.File(it)
	}
	if r := &d.Roots[it.Root]; r.Index != nil {
		k.archive = r.Index.Stat.Size
	}
	return k
}

// sameFile reports whether items in the same place have one memoKey.
func (d *Dataset) sameFile(it *Item, other *Dataset, was *Item) bool {
	if it.Stat != was.Stat || it.Offset != was.Offset {
		return false
	}
	if d.Roots[it.Root].Index == nil && other.Roots[was.Root].Index == nil && it.Stat.Inode != 0 && it.Stat.CTime != 0 {
		return true
	}
	return d.memoKey(it) == other.memoKey(was)
}

// remembers reports whether it tells the content of a file that has not changed since.
func (it *Item) remembers() bool { return it.Hashed() && it.Stat.Timed() }

// Recollect gives items without a content hash the one that a dataset in docs has of the
// same, unchanged file. Have, which may be nil, is a dataset of docs that [Load] has read
// already: items that lie in the same places there cost next to nothing, and other datasets
// are read only where that leaves some.
func (d *Dataset) Recollect(docs Docs, have *Dataset) error {
	if have != nil {
		eachPair(d, have, func(i, j int) {
			it, was := &d.Items[i], &have.Items[j]
			if !it.Hashed() && was.remembers() && d.sameFile(it, have, was) {
				it.Hash = was.Hash
			}
		})
	}
	wanted := map[memoKey][]int32{}
	for i := range d.Items {
		if it := &d.Items[i]; !it.Hashed() && it.Stat.Timed() {
			k := d.memoKey(it)
			wanted[k] = append(wanted[k], int32(i))
		}
	}
	for _, p := range Purposes {
		if len(wanted) == 0 {
			return nil
		}
		for _, name := range Names(docs, p) {
			kept := have
			if kept == nil || kept.loaded != string(p)+name {
				var err error
				if kept, err = Load(docs, p, name); errors.Is(err, ErrDocument) {
					continue // what it remembers is found out anew
				}
				if err != nil {
					return err
				}
			}
			d.recall(kept, wanted)
		}
	}
	return nil
}

// recall gives the wanted items the content that kept has of them.
func (d *Dataset) recall(kept *Dataset, wanted map[memoKey][]int32) {
	for i := range kept.Items {
		was := &kept.Items[i]
		if !was.remembers() {
			continue
		}
		for _, n := range wanted[kept.memoKey(was)] {
			d.Items[n].Hash = was.Hash
		}
	}
}

// IsAsKept reports whether d is what earlier, which [Load] has read, says: its document need
// not be written again.
func (d *Dataset) IsAsKept(earlier *Dataset, p Purpose) bool {
	return earlier != nil && earlier.loaded == d.Document(p) && d.Sources.Equal(earlier.Sources) && d.Split == earlier.Split &&
		slices.Equal(d.Classes, earlier.Classes) && slices.Equal(d.Items, earlier.Items) &&
		reflect.DeepEqual(d.Roots, earlier.Roots) && d.Reading.Equal(earlier.Reading)
}
