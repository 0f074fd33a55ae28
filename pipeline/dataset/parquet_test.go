//go:build !noparquet

package dataset

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/pipeline/internal/parquetfile"
	"icebox/pipeline/internal/parquetfile/parquettest"
)

const catsAndDogs = `{"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}`

// pet is a row of an image; a class below 0 is none.
func pet(text, path string, class int64) parquettest.Row {
	r := parquettest.Row{Image: &parquettest.Image{Bytes: []byte(text)}, Name: "n" + text, Set: "train"}
	if path != "" {
		r.Image.Path = &path
	}
	if class > -2 {
		r.Label = &class
	}
	return r
}

// readRows is what the items of a dataset hold, as read says it, from parquet files.
func readRows(t *testing.T, ds *Dataset) map[string]string {
	t.Helper()
	p := parquetfile.NewPages(1 << 20)
	defer p.Close()
	all := map[string]string{}
	for i := range ds.Items {
		it := &ds.Items[i]
		r := &ds.Roots[it.Root]
		n, err := p.Size(r.Dir, r.Index.Column, it.Offset)
		data := make([]byte, n)
		if err == nil {
			_, err = p.Copy(data, r.Dir, r.Index.Column, it.Offset)
		}
		if err != nil {
			data = []byte("error")
		}
		all[ds.Display(it)] = strings.TrimSpace(ds.Class(it) + " " + it.Part.String() + " " + string(data))
	}
	return all
}

func wantRows(t *testing.T, ds *Dataset, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, readRows(t, ds)); diff != "" {
		t.Error(diff)
	}
}

func TestRowsOfAParquetFileHaveTheirClasses(t *testing.T) {
	dir := t.TempDir()
	rows := []parquettest.Row{pet("one", "1.jpg", 0), pet("two", "/home/x/2.jpg", 1), pet("three", "", 0), pet("four", "1.jpg", 1), pet("five", "", -1), pet("six", "", -2)}
	rows = append(rows, parquettest.Row{Image: &parquettest.Image{}, Label: rows[0].Label})
	file := writeFile(t, filepath.Join(dir, "a.parquet"), parquettest.Bytes(t, parquettest.Options{Group: 2, Meta: catsAndDogs}, rows))
	settle()
	ds := scanned(t, Options{Train: file}, nil)
	want := map[string]string{
		"a.parquet!1.jpg": "cat  one", "a.parquet!2.jpg": "dog  two", "a.parquet!row-0000002": "cat  three", "a.parquet!1.jpg@3": "dog  four",
		"a.parquet!row-0000004": "five", "a.parquet!row-0000005": "six", "a.parquet!row-0000006": "cat  error",
	}
	wantRows(t, ds, want)
	warm := scanned(t, Options{Train: file}, kept(t, ds, ForTraining))
	if warm.listed != 0 {
		t.Error("an unchanged file is opened again")
	}
	wantRows(t, warm, want)
	by := scanned(t, Options{Train: file, Reading: Reading{Columns: Columns{Label: "name", Group: "Set"}}}, nil)
	if len(by.Classes) != 6 || by.Items[1].Group != "train" {
		t.Errorf("classes %v, group %q", by.Classes, by.Items[1].Group)
	}
}

// Files are called after their parts, as Hugging Face's datasets calls them.
func TestFolderOfParquetFilesHasParts(t *testing.T) {
	dir := t.TempDir()
	for name, row := range map[string]parquettest.Row{
		"train-00000-of-00002.parquet": pet("one", "", 0), "train-00001-of-00002-a1b2c3.parquet": pet("two", "", 1), "validation-00000-of-00001.parquet": pet("three", "", 1), "test.parquet": pet("four", "", 0),
	} {
		writeFile(t, filepath.Join(dir, "data", name), parquettest.Bytes(t, parquettest.Options{Meta: catsAndDogs}, []parquettest.Row{row}))
	}
	writeFile(t, filepath.Join(dir, "README.md"), nil)
	wantRows(t, scanned(t, Options{Train: dir}, nil), map[string]string{
		"data/train-00000-of-00002.parquet!row-0000000": "cat train one", "data/train-00001-of-00002-a1b2c3.parquet!row-0000000": "dog train two",
		"data/validation-00000-of-00001.parquet!row-0000000": "dog val three", "data/test.parquet!row-0000000": "cat test four",
	})
}

// A file that names images is a table of them, which lie beside it.
func TestParquetFileOfPathsIsATable(t *testing.T) {
	dir := t.TempDir()
	type row struct {
		FileName string `parquet:"file_name"`
		Label    int32  `parquet:"label"`
	}
	for _, name := range []string{"a.jpg", "sub/b.jpg"} {
		writeFile(t, filepath.Join(dir, filepath.FromSlash(name)), nil)
	}
	rows := []row{{"a.jpg", 1}, {"sub/b.jpg", 0}}
	for _, o := range []Options{{Train: filepath.Join(dir, "metadata.parquet")}, {Train: dir}} {
		writeFile(t, filepath.Join(dir, "metadata.parquet"), parquettest.Bytes(t, parquettest.Options{Meta: catsAndDogs}, rows))
		ds := scanned(t, o, nil)
		if len(ds.Items) != 2 || ds.Class(&ds.Items[0]) != "dog" || ds.File(&ds.Items[1]) != filepath.Join(dir, "sub", "b.jpg") {
			t.Errorf("%+v", ds.Items)
		}
	}
	path := "a.jpg"
	file := writeFile(t, filepath.Join(dir, "struct.parquet"), parquettest.Bytes(t, parquettest.Options{Meta: catsAndDogs}, []parquettest.Row{{Image: &parquettest.Image{Path: &path}, Label: new(int64)}}))
	ds := scanned(t, Options{Train: file}, nil)
	if len(ds.Items) != 1 || ds.Archived(&ds.Items[0]) || ds.Class(&ds.Items[0]) != "cat" || ds.Items[0].Stat == (Stat{}) {
		t.Errorf("%+v", ds.Items)
	}
}

func TestParquetFilesThatCannotBeReadAreRefused(t *testing.T) {
	type nested struct {
		Image  []byte `parquet:"image"`
		Labels []int  `parquet:"labels"`
	}
	type twoImages struct{ Left, Right parquettest.Image }
	type none struct{ A, B int }
	one := []byte("x")
	for name, c := range map[string]struct {
		data    []byte
		columns Columns
		want    string
		is      error
	}{
		"nested labels":  {parquettest.Bytes(t, parquettest.Options{}, []nested{{one, []int{1}}}), Columns{}, `column "labels" for the label holds lists`, ErrSeveralLabels},
		"nested images":  {parquettest.Bytes(t, parquettest.Options{}, []nested{{one, []int{1}}}), Columns{Path: "labels"}, "neither images nor paths", ErrData},
		"no such label":  {parquettest.Bytes(t, parquettest.Options{}, []parquettest.Row{pet("x", "", 0)}), Columns{Label: "breed"}, `no column "breed" for the label; the columns are image,label,name,set`, ErrData},
		"no such image":  {parquettest.Bytes(t, parquettest.Options{}, []parquettest.Row{pet("x", "", 0)}), Columns{Path: "photo"}, `no column "photo" for the images`, ErrData},
		"two images":     {parquettest.Bytes(t, parquettest.Options{}, []twoImages{{}}), Columns{}, "Left,Right may all hold", ErrData},
		"nothing":        {parquettest.Bytes(t, parquettest.Options{}, []none{{}}), Columns{}, "A,B", ErrData},
		"no such class":  {parquettest.Bytes(t, parquettest.Options{Meta: catsAndDogs}, []parquettest.Row{pet("x", "", 2)}), Columns{}, "holds class 2", ErrData},
		"no parquet":     {bytes.Repeat(one, 99), Columns{}, "does not end as one", ErrData},
		"another footer": {append(bytes.Repeat(one, 99), "\xff\xff\xff\x7fPAR1"...), Columns{}, "its footer has 2147483647 bytes", ErrData},
	} {
		file := writeFile(t, filepath.Join(t.TempDir(), "x.parquet"), c.data)
		if _, err := Scan(t.Context(), Options{Train: file, Reading: Reading{Columns: c.columns}}, nil); !errors.Is(err, c.is) || !errors.Is(err, ErrData) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParquet scans whatever bytes as a parquet file.
func FuzzParquet(f *testing.F) {
	f.Add(parquettest.Bytes(f, parquettest.Options{Meta: catsAndDogs}, []parquettest.Row{pet("one", "1.jpg", 0), pet("two", "", 1)}))
	f.Add(parquettest.Bytes(f, parquettest.Options{}, []struct{ Path, Label string }{{"a.jpg", "x"}}))
	file := filepath.Join(f.TempDir(), "x.parquet")
	f.Fuzz(func(t *testing.T, data []byte) {
		must(t, os.WriteFile(file, data, 0o644))
		if _, err := Scan(t.Context(), Options{Train: file}, nil); err != nil && !errors.Is(err, ErrData) {
			t.Fatalf("%v is no error of the data", err)
		}
	})
}

// What Hugging Face's datasets and pyarrow write is read. ICEBOX_EXPORT_PYTHON names a Python
// that has them.
func TestParquetFilesOfOtherProgramsAreRead(t *testing.T) {
	python := os.Getenv("ICEBOX_EXPORT_PYTHON")
	if python == "" {
		t.Skip("ICEBOX_EXPORT_PYTHON names no Python with datasets and pyarrow")
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, "-c", `
import sys, os
import datasets, pyarrow as pa, pyarrow.parquet as pq
out = sys.argv[1]
rows = {"image": [{"bytes": b"x%d" % i * 900, "path": "%d.png" % i} for i in range(300)], "label": [i % 2 for i in range(300)]}
features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
datasets.Dataset.from_dict(rows, features=features).to_parquet(os.path.join(out, "datasets.parquet"))
names = ["cat" if i % 2 == 0 else "dog" for i in range(300)]
for n, options in enumerate([{}, {"compression": "zstd", "row_group_size": 70}, {"use_dictionary": False, "data_page_version": "2.0", "data_page_size": 4000}, {"write_page_index": True, "data_page_size": 4000, "compression": "gzip"}]):
    table = pa.table({"image": pa.array([r["bytes"] for r in rows["image"]], pa.binary()), "file_name": ["%d.png" % i for i in range(300)], "label": names})
    pq.write_table(table, os.path.join(out, "pyarrow%d.parquet" % n), **options)
`, dir)
	cmd.Env = append(os.Environ(), "HF_HOME="+dir, "HF_HUB_OFFLINE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("%s has no datasets or pyarrow: %s", python, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	must(t, err)
	if len(files) != 5 {
		t.Fatalf("%v", files)
	}
	for _, file := range files {
		ds := scanned(t, Options{Train: file}, nil)
		all := readRows(t, ds)
		got := all[filepath.Base(file)+"!17.png"]
		if !strings.Contains(file, "datasets.parquet") {
			got = all[filepath.Base(file)+"!row-0000017"]
		}
		if want := "dog  " + strings.Repeat("x17", 900); got != want || len(all) != 300 {
			t.Errorf("%s: %d rows, %.40q", filepath.Base(file), len(all), got)
		}
	}
}
