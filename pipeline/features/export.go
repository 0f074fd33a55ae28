package features

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/internal/csvfile"
	"icebox/pipeline/internal/npy"
)

// Exported says what an export wrote.
type Exported struct {
	Dir     string `json:"dir"`
	Dataset string `json:"dataset"`
	Space   string `json:"space"`
	Rows    int    `json:"rows"`
	Missing int    `json:"missing"` // items without a feature, left out
}

// exportBlock is how many rows are in memory at a time.
const exportBlock = 4096

// Export writes the features of a dataset's items in part p (Unassigned: of all)
// to dir: features.npy (N×512 float32), labels.npy (int64, -1 for none), index.csv
// (row, path, label, split, sha256); one row an item, in the dataset's order. It
// makes dir and overwrites none of these files.
func Export(path, dir string, choice Choice, p dataset.Part) (*Exported, error) {
	c, err := cache.Open(path, cache.Options{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ds, err := chooseDataset(c, choice.Dataset, dataset.Options{})
	if err != nil {
		return nil, err
	}
	space, err := chooseSpace(c, choice.Space, ds)
	if err != nil {
		return nil, err
	}
	e := &export{c: c, ds: ds, space: space.ID}
	out := &Exported{Dir: dir, Dataset: ds.Name, Space: space.ID}
	for i := range ds.Items {
		it := &ds.Items[i]
		switch {
		case p != dataset.Unassigned && it.Part != p:
		case it.Hashed() && c.Has(space.ID, it.Hash):
			e.items = append(e.items, it)
		default:
			out.Missing++
		}
	}
	out.Rows = len(e.items)
	if out.Rows == 0 {
		return nil, fmt.Errorf("%w: dataset %s has no %s item with a feature in space %.12s", ErrNotExtracted, ds.Name, p, space.ID)
	}
	return out, e.to(dir)
}

type export struct {
	c     *cache.Cache
	ds    *dataset.Dataset
	space string
	items []*dataset.Item
}

// to writes the files beside their place first, so that they are there whole or not at all.
func (e *export) to(dir string) error {
	p, err := openPublication(dir, featuresFile, labelsFile, indexFile)
	if err != nil {
		return err
	}
	defer p.close()
	for name, body := range map[string]func(*bufio.Writer) error{featuresFile: e.features, labelsFile: e.labels, indexFile: e.index} {
		if err := e.file(p.path(name), body); err != nil {
			return err
		}
	}
	return p.publish()
}

// file makes path, which must not be there, and lets body fill it.
func (e *export) file(path string, body func(*bufio.Writer) error) error {
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

func (e *export) features(w *bufio.Writer) error {
	w.Write(npy.Header(npy.Float32, len(e.items), extract.Dim))
	rows := make([]float32, exportBlock*extract.Dim)
	for at := 0; at < len(e.items); at += exportBlock {
		var keys []cache.Key
		for _, it := range e.items[at:min(at+exportBlock, len(e.items))] {
			keys = append(keys, it.Hash)
		}
		part := rows[:len(keys)*extract.Dim]
		missing, err := e.c.Lookup(e.space, keys, part)
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			return fmt.Errorf("%w: %d rows went away while they were read", ErrNotExtracted, len(missing))
		}
		if err := binary.Write(w, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	return nil
}

func (e *export) labels(w *bufio.Writer) error {
	w.Write(npy.Header(npy.Int64, len(e.items)))
	labels := make([]int64, len(e.items))
	for i, it := range e.items {
		labels[i] = int64(it.Label)
	}
	return binary.Write(w, binary.LittleEndian, labels)
}

func (e *export) index(w *bufio.Writer) error {
	return csvfile.To(w, func(yield func([]string) bool) {
		if !yield([]string{"row", "path", "label", "split", "sha256"}) {
			return
		}
		for i, it := range e.items {
			if !yield([]string{strconv.Itoa(i), e.ds.Display(it), e.ds.Class(it), it.Part.String(), hex.EncodeToString(it.Hash[:])}) {
				return
			}
		}
	})
}
