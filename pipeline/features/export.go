package features

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/export/rows"
	"icebox/pipeline/thumbs"
)

// Exported says what an export wrote.
type Exported struct {
	Dir     string   `json:"dir"`
	Dataset string   `json:"dataset"`
	Space   string   `json:"space"`
	Format  string   `json:"format"`
	Files   []string `json:"files"` // names in Dir
	Rows    int      `json:"rows"`
	Missing int      `json:"missing"` // items without a feature, left out
}

// exportBlock is how many rows are in memory at a time.
const exportBlock = 4096

// ExportOptions say what is exported, and where to.
type ExportOptions struct {
	Dir    string
	Choice Choice
	Part   dataset.Part // Unassigned: all
	Format string       // of package rows; "" is [rows.NPY]
}

// Export writes the features of a dataset's items to a folder, in a format of package rows:
// one row an item, in the dataset's order. It makes the folder and overwrites none of the
// files in it. The small pictures of a projector are those that are kept beside the cache.
func Export(path string, o ExportOptions) (*Exported, error) {
	if o.Format == "" {
		o.Format = rows.NPY
	}
	if err := rows.Check(o.Format); err != nil {
		return nil, err
	}
	c, err := cache.Open(path, cache.Options{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ds, err := chooseDataset(c, o.Choice.Dataset, dataset.Options{})
	if err != nil {
		return nil, err
	}
	space, err := chooseSpace(c, o.Choice.Space, ds)
	if err != nil {
		return nil, err
	}
	e := &export{c: c, ds: ds, space: space.ID}
	out := &Exported{Dir: o.Dir, Dataset: ds.Name, Space: space.ID, Format: o.Format}
	for i := range ds.Items {
		it := &ds.Items[i]
		switch {
		case o.Part != dataset.Unassigned && it.Part != o.Part:
		case it.Hashed() && c.Has(space.ID, it.Hash):
			e.items = append(e.items, it)
		default:
			out.Missing++
		}
	}
	out.Rows = len(e.items)
	if out.Rows == 0 {
		return nil, fmt.Errorf("%w: dataset %s has no %s item with a feature in space %.12s", ErrNotExtracted, ds.Name, o.Part, space.ID)
	}
	table := e.table()
	if table.Picture, err = e.pictures(path, space); err != nil {
		return nil, err
	}
	files := table.Files(o.Format)
	for _, f := range files {
		out.Files = append(out.Files, f.Name)
	}
	return out, publish(o.Dir, files, out.Files)
}

type export struct {
	c     *cache.Cache
	ds    *dataset.Dataset
	space string
	items []*dataset.Item
}

// table is what is exported.
func (e *export) table() *rows.Table {
	t := &rows.Table{Name: e.ds.Name, Dim: extract.Dim, Classes: e.ds.Classes, Blocks: e.blocks()}
	for _, it := range e.items {
		t.Rows = append(t.Rows, rows.Row{Path: e.ds.Display(it), Class: e.ds.Class(it), Label: int(it.Label), Split: it.Part.String(), SHA256: it.Hash})
	}
	return t
}

// blocks yields the features.
func (e *export) blocks() iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		block := make([]float32, exportBlock*extract.Dim)
		for at := 0; at < len(e.items); at += exportBlock {
			var keys []cache.Key
			for _, it := range e.items[at:min(at+exportBlock, len(e.items))] {
				keys = append(keys, it.Hash)
			}
			part := block[:len(keys)*extract.Dim]
			missing, err := e.c.Lookup(e.space, keys, part)
			if err == nil && len(missing) > 0 {
				err = fmt.Errorf("%w: %d rows went away while they were read", ErrNotExtracted, len(missing))
			}
			if !yield(part, err) || err != nil {
				return
			}
		}
	}
}

// pictures returns the small picture of each row, as far as there are any; nil if there are
// none.
func (e *export) pictures(path string, space Space) (func(row int) []byte, error) {
	way, err := json.Marshal(space.Fingerprint.Preprocess)
	if err != nil {
		return nil, err
	}
	store, err := thumbs.Open(thumbs.Path(path), string(way))
	if err != nil {
		return nil, err
	}
	of := func(row int) []byte { return store.Get(e.items[row].Hash) }
	for row := range e.items {
		if of(row) != nil {
			return of, nil
		}
	}
	return nil, nil
}

// publish writes files beside their place first, so that they are there whole or not at all.
func publish(dir string, files []rows.File, names []string) error {
	p, err := openPublication(dir, names...)
	if err != nil {
		return err
	}
	defer p.close()
	for _, f := range files {
		if err := writeNew(p.path(f.Name), f.Write); err != nil {
			return err
		}
	}
	return p.publish()
}

// writeNew makes path, which must not be there, and lets body fill it.
func writeNew(path string, body func(*bufio.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = body(w)
	if err = errors.Join(err, w.Flush()); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
