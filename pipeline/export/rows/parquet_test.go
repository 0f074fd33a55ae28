//go:build !noparquet

package rows

import (
	"bytes"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func TestParquetComesBack(t *testing.T) {
	data := written(t, table(), "parquet")["features.parquet"]
	got, err := parquet.Read[parquetRow](bytes.NewReader(data), int64(len(data)))
	if err != nil || len(got) != 3 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	if r := got[0]; *r.Class != "ant" || *r.Label != 0 || r.Path != "ant/1.jpg" || r.Split != "train" || r.SHA256[:4] != "0100" {
		t.Errorf("%+v", r)
	}
	if r := got[1]; r.Class != nil || r.Label != nil || r.Path != "a\tb,\uFFFD.jpg" {
		t.Errorf("%+v", r)
	}
	var all []float32
	for _, r := range got {
		all = append(all, r.Feature...)
	}
	if !slices.Equal(all, values) {
		t.Errorf("%v", all)
	}
}
