package dataset

import (
	"errors"
	"path"

	"icebox/cache"
)

// Memo remembers the content of files that have not changed since they were read.
type Memo map[memoKey]cache.Key

// memoKey finds a file again: by name and stat where the system numbers files and
// says when each last changed, so that a moved folder is known; else by path and
// stat. An image in an archive is found by its place in it, too, and by the archive's size.
type memoKey struct {
	name            string
	stat            Stat
	archive, offset int64 // size of the archive, and the place in it
}

func (d *Dataset) memoKey(it *Item) memoKey {
	k := memoKey{d.File(it), it.Stat, 0, it.Offset}
	if it.Stat.Inode != 0 && it.Stat.CTime != 0 {
		k.name = path.Base(it.Path)
	}
	if r := &d.Roots[it.Root]; r.Index != nil {
		k.archive = r.Index.Stat.Size
	}
	return k
}

// LoadMemo reads what the datasets in docs remember. Have, which may be nil, is one of
// them that [Load] has read already.
func LoadMemo(docs Docs, have *Dataset) (Memo, error) {
	m := Memo{}
	for _, p := range Purposes {
		for _, name := range Names(docs, p) {
			d := have
			if d == nil || d.loaded != string(p)+name {
				var err error
				if d, err = Load(docs, p, name); errors.Is(err, ErrDocument) {
					continue // what it remembers is found out anew
				}
				if err != nil {
					return nil, err
				}
			}
			m.add(d)
		}
	}
	return m, nil
}

func (m Memo) add(d *Dataset) {
	for i := range d.Items {
		if it := &d.Items[i]; it.Hashed() && it.Stat.Timed() {
			m[d.memoKey(it)] = it.Hash
		}
	}
}

// Recall gives items the content hash that m has for the same, unchanged file.
func (d *Dataset) Recall(m Memo) {
	for i := range d.Items {
		it := &d.Items[i]
		if h, ok := m[d.memoKey(it)]; ok {
			it.Hash = h
		}
	}
}
