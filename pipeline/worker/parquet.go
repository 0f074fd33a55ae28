//go:build !noparquet

package worker

import (
	"io"

	"github.com/parquet-go/parquet-go"
)

func init() {
	outputs["parquet"] = func(w io.Writer) Output {
		return &parquetFile{parquet.NewGenericWriter[parquetRow](w, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(groupRows))}
	}
}

// groupRows is how many rows a group has, which is in memory until it is written: some 8 MB.
const groupRows = 1 << 12

// parquetRow is a row of the file; its columns are those of a shard's part, as far as a worker
// knows them.
type parquetRow struct {
	Key     []byte    `parquet:"key,optional"` // SHA-256 of the image's bytes
	Path    string    `parquet:"path"`
	Feature []float32 `parquet:"feature,list"`
	Error   string    `parquet:"error,dict"` // "" is none
}

type parquetFile struct {
	w *parquet.GenericWriter[parquetRow]
}

func (p *parquetFile) Write(rows []Row) error {
	out := make([]parquetRow, len(rows))
	for i, r := range rows {
		out[i] = parquetRow{Path: r.Name, Feature: r.Feature}
		if r.SHA256 != ([32]byte{}) {
			out[i].Key = r.SHA256[:]
		}
		if r.Err != nil {
			out[i].Error = r.Err.Error()
		}
	}
	_, err := p.w.Write(out)
	return err
}

func (p *parquetFile) Close() error { return p.w.Close() }
