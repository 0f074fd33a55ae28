//go:build !noparquet

package predictions

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func TestParquetKeepsNames(t *testing.T) {
	type row struct {
		Path        string   `parquet:"path,optional"`
		Part        *string  `parquet:"part,optional"`
		Truth       *string  `parquet:"truth,optional"`
		Label       *string  `parquet:"label,optional"`
		Probability *float64 `parquet:"probability,optional"`
		Unknown     *bool    `parquet:"unknown,optional"`
		Cat         *float64 `parquet:"p:cat,optional"`
		Error       *string  `parquet:"error,optional"`
		Bytes       []byte   `parquet:"path_bytes,optional"`
	}
	path := written(t, ".parquet", Layout{Classes: head().Classes, Judged: true})
	read, err := parquet.ReadFile[row](path)
	must(t, err)
	want := rows()
	if len(read) != len(want) {
		t.Fatalf("%d rows, want %d", len(read), len(want))
	}
	for i, r := range read {
		name := r.Path
		if r.Bytes != nil {
			name = string(r.Bytes)
		}
		w := want[i]
		same := name == w.Path && *r.Part == w.Part && *r.Truth == w.Truth
		if w.Err == "" {
			same = same && *r.Label == w.Label && *r.Probability == w.Probability && *r.Unknown == w.Unknown && *r.Cat == w.Probabilities[0] && r.Error == nil
		} else {
			same = same && r.Label == nil && r.Probability == nil && r.Unknown == nil && r.Cat == nil && *r.Error == w.Err
		}
		if !same {
			t.Errorf("row %d: %+v, want %+v", i, r, w)
		}
	}
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	fi, err := f.Stat()
	must(t, err)
	file, err := parquet.OpenFile(f, fi.Size())
	must(t, err)
	var names []string
	for _, c := range file.Root().Columns() {
		names = append(names, c.Name())
	}
	if got := strings.Join(names, "|"); got != "path|part|truth|label|probability|unknown|p:cat|p:a,b|error|path_bytes" {
		t.Errorf("columns %s", got)
	}
}

func TestManyRowsGoToParquet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	w, err := Create(path, Layout{Classes: head().Classes}, false)
	must(t, err)
	const n = 2*1024 + 7
	var r Row
	for i := range n {
		r.Path = fmt.Sprint(i)
		r.Answer(head(), []float32{float32(i % 5), 1})
		must(t, w.Write(&r))
	}
	must(t, w.Close())
	read, err := parquet.ReadFile[struct {
		Path string `parquet:"path,optional"`
	}](path)
	must(t, err)
	for i, row := range read {
		if row.Path != fmt.Sprint(i) {
			t.Fatalf("row %d is %s", i, row.Path)
		}
	}
	if len(read) != n {
		t.Errorf("%d rows, want %d", len(read), n)
	}
}

func TestGroupsOfManyClassesAreShort(t *testing.T) {
	for _, columns := range []int{8, 128, 1000, 100_000, 1 << 24} {
		if values := columns * groupRows(columns); groupRows(columns) > 1 && values > 1<<23 || columns <= 128 && groupRows(columns) != 1<<16 {
			t.Errorf("%d columns: groups of %d rows", columns, groupRows(columns))
		}
		if values := columns * batchRows(columns); batchRows(columns) > 1 && values > 1<<20 {
			t.Errorf("%d columns: batches of %d rows", columns, batchRows(columns))
		}
	}
}
