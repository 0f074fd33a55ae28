//go:build !noparquet

package pipeline

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"

	"icebox/pipeline/internal/parquetfile/parquettest"
)

// parquetKinds are the kinds of archives that need parquet.
var parquetKinds = []string{"parquet"}

// photoRows is a parquet file of the photos in a folder, in the order of their names.
func photoRows(t *testing.T, dir string) []byte {
	t.Helper()
	var rows []parquettest.Row
	names := []string{"class0", "class1", "class2"}
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(rel string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(rel)))
		must(t, err)
		label, name := int64(-1), path.Base(rel)
		for n := range names {
			if names[n] == path.Dir(rel) {
				label = int64(n)
			}
		}
		rows = append(rows, parquettest.Row{Image: &parquettest.Image{Bytes: data, Path: &name}, Label: &label, Set: "train"})
		return nil
	}))
	return parquettest.Bytes(t, parquettest.Options{Group: 5, Meta: `{"info": {"features": {"label": {"names": ["class0", "class1", "class2"], "_type": "ClassLabel"}}}}`}, rows)
}
