//go:build !noparquet

package shards

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/parquet-go/parquet-go"

	"icebox/cache"
	"icebox/pipeline/internal/parquetfile"
)

// parquetRow is a row of a part's file. Programs that know nothing of icebox read it, so that
// a column, once published, keeps its name and meaning.
type parquetRow struct {
	Key      [32]byte  `parquet:"key"` // SHA-256 of the image's bytes
	Path     string    `parquet:"path"`
	Label    *string   `parquet:"label,optional,dict"`
	Split    string    `parquet:"split,dict"`
	Feature  []float32 `parquet:"feature,list"`
	Item     int64     `parquet:"item,delta"`    // row of the manifest
	Producer string    `parquet:"producer,dict"` // JSON of a cache.Producer
	Measures []byte    `parquet:"measures,optional"`
}

// groupRows is how many rows a group has, which is in memory until it is written: some 8 MB.
const groupRows = 1 << 12

// writePart writes a part's file.
func writePart(w io.Writer, head partHead, rows iter.Seq2[Row, error]) error {
	out := parquet.NewGenericWriter[parquetRow](w, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(groupRows))
	digest := newRowDigest()
	var producer string
	var made cache.Producer
	one := make([]parquetRow, 1)
	for r, err := range rows {
		if err != nil {
			return err
		}
		if producer == "" || r.Producer != made {
			made = r.Producer
			text, err := json.Marshal(made)
			if err != nil {
				return err
			}
			producer = string(text)
		}
		one[0] = parquetRow{Key: r.Key, Path: r.Path, Split: r.Split, Feature: r.Feature, Item: int64(r.Item), Producer: producer, Measures: r.Measures}
		if r.Class != "" {
			one[0].Label = &r.Class
		}
		if _, err := out.Write(one); err != nil {
			return err
		}
		digest.add(&r)
	}
	head.Digest = digest.sum()
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	out.SetKeyValueMetadata(headKey, string(text))
	return out.Close()
}

// Part is a part that is open for reading.
type Part struct {
	path string
	head partHead
	file stored
	in   *parquet.File
}

// openPart reads the head of a part's file. The part takes the file where it returns no error.
func openPart(path string, file stored) (*Part, error) {
	p := &Part{path: path, file: file}
	return p, p.open()
}

func (p *Part) open() error {
	fi, err := p.file.Stat()
	if err != nil {
		return err
	}
	if err = parquetfile.CheckFooter(p.file, fi.Size()); err == nil {
		err = parquetfile.Guarded(func() error {
			p.in, err = parquet.OpenFile(p.file, fi.Size())
			return err
		})
	}
	if err != nil {
		return broken(p.path, err)
	}
	text, ok := p.in.Lookup(headKey)
	if !ok {
		return fmt.Errorf("%w: %s is a Parquet file that icebox did not write", ErrPart, p.path)
	}
	return p.parseHead(text)
}

// Close closes the file.
func (p *Part) Close() error { return p.file.Close() }

func (p *Part) rows() int { return int(p.in.NumRows()) }

// read yields what the file has.
func (p *Part) read() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		in := parquet.NewGenericReader[parquetRow](p.in)
		defer in.Close()
		chunk := make([]parquetRow, 256)
		var text string
		var made cache.Producer
		for {
			var n int
			var end bool
			err := parquetfile.Guarded(func() (err error) {
				n, err = in.Read(chunk)
				if end = errors.Is(err, io.EOF); end {
					return nil
				}
				return err
			})
			if err != nil {
				yield(Row{}, broken(p.path, err))
				return
			}
			for _, r := range chunk[:n] {
				if r.Producer != text || text == "" {
					made = cache.Producer{}
					if err := json.Unmarshal([]byte(r.Producer), &made); err != nil {
						yield(Row{}, broken(p.path, err))
						return
					}
					text = r.Producer
				}
				row := Row{Item: int(r.Item), Key: r.Key, Path: r.Path, Split: r.Split, Producer: made, Measures: r.Measures, Feature: r.Feature}
				if r.Label != nil {
					row.Class = *r.Label
				}
				if !yield(row, nil) {
					return
				}
			}
			if end || n == 0 {
				return
			}
		}
	}
}
