//go:build !noparquet

package rows

import (
	"bufio"
	"strings"

	"github.com/parquet-go/parquet-go"
)

func init() { formats["parquet"] = parquetFiles }

// parquetRow is a row of the file. A path is text there, and what is no text in it is
// replaced.
type parquetRow struct {
	Path    string    `parquet:"path"`
	Class   *string   `parquet:"class,optional"`
	Label   *int64    `parquet:"label,optional"`
	Split   string    `parquet:"split"`
	SHA256  string    `parquet:"sha256"`
	Feature []float32 `parquet:"feature,list"`
}

// groupRows is how many rows a group has, which is in memory until it is written: some 33 MB.
const groupRows = 1 << 14

func parquetFiles(t *Table) []File { return []File{{"features.parquet", t.parquet}} }

func (t *Table) parquet(w *bufio.Writer) error {
	out := parquet.NewGenericWriter[parquetRow](w, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(groupRows))
	one := make([]parquetRow, 1)
	err := t.each(func(r *Row, feature []float32) error {
		one[0] = parquetRow{Path: strings.ToValidUTF8(r.Path, "\uFFFD"), Split: r.Split, SHA256: r.sum(), Feature: feature}
		if r.Label >= 0 {
			label := int64(r.Label)
			one[0].Class, one[0].Label = &r.Class, &label
		}
		_, err := out.Write(one)
		return err
	})
	if err != nil {
		return err
	}
	return out.Close()
}
