package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"icebox/pipeline/journal"
)

// utf16Text is text in UTF-16 with a mark.
func utf16Text(text string, little bool) string {
	var out []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		if little {
			out = append(out, byte(u), byte(u>>8))
		} else {
			out = append(out, byte(u>>8), byte(u))
		}
	}
	return string(out)
}

var twoImages = []string{"img/a.jpg", "img/b.png"}

func TestTablesAsSpreadsheetsAndCompetitionsWriteThem(t *testing.T) {
	want := []string{"img/a.jpg café ", "img/b.png dog "}
	for _, c := range []struct {
		name, file, text string
		reading          Reading
		want             []string // nil: want
		says             string   // in a note; "" is none
	}{
		{name: "Excel with a mark and semicolons", text: "\ufeffpath;label\r\nimg/a.jpg;café\r\nimg/b.png;dog\r\n"},
		{name: "a line for Excel", text: "sep=;\r\npath;label\r\nimg/a.jpg;café\r\nimg/b.png;dog\r\n"},
		{name: "a line for Excel against the header", text: "sep=|\npath|label,x\nimg/a.jpg|café\nimg/b.png|dog\n", reading: Reading{Columns: Columns{Label: "label,x"}}},
		{name: "tabs", file: "set.tsv", text: "path\tlabel\nimg/a.jpg\tcafé\nimg/b.png\tdog\n"},
		{name: "tabs and quotes", file: "set.txt", text: "path\tlabel\tremark\nimg/a.jpg\tcafé\t5\" wide\nimg/b.png\tdog\t\n"},
		{name: "bars", text: "path|label\nimg/a.jpg|café\nimg/b.png|dog\n"},
		{name: "commas within semicolons", text: "path;label;remark, long\nimg/a.jpg;café;a, b\nimg/b.png;dog;c\n"},
		{name: "UTF-16 of Windows", text: utf16Text("path\tlabel\r\nimg/a.jpg\tcafé\r\nimg/b.png\tdog\r\n", true)},
		{name: "UTF-16, the other end first", text: utf16Text("path,label\nimg/a.jpg,café\nimg/b.png,dog\n", false)},
		{name: "JSON lines", file: "set.jsonl", text: "{\"file_name\": \"img/a.jpg\", \"label\": \"café\"}\n\n{\"label\": \"dog\", \"file_name\": \"img/b.png\", \"n\": 3}\n"},
		{name: "numbers in JSON", file: "set.jsonl", text: "{\"path\": \"img/a.jpg\", \"label\": 0}\n{\"path\": \"img/b.png\", \"label\": 1}\n", want: []string{"img/a.jpg 0 ", "img/b.png 1 "}},
		{name: "paths of Windows", text: "path,label\nimg\\a.jpg,café\nimg\\b.png,dog\n"},
		{name: "a number for the image", text: "id,category\nimg/a,café\nimg/b,dog\n", says: `reads the path from "id", the label from "category"`},
		{name: "Image Name and Class Name", text: "Image Name,Class Name\nimg/a.jpg,café\nimg/b.png,dog\n", says: `reads the path from "Image Name"`},
		{name: "an id beside the file", text: "id,filename,label\n1,img/a.jpg,café\n2,img/b.png,dog\n"},
		{name: "named columns", text: "id,breed,label\nimg/a.jpg,café,7\nimg/b.png,dog,8\n", reading: Reading{Columns: Columns{Path: "id", Label: "breed"}}},
		{name: "another folder", text: "path,label\na.jpg,café\nb.png,dog\n", reading: Reading{Root: "DIR/img"}, want: []string{"a.jpg café ", "b.png dog "}},
		{name: "a suffix", text: "path,label\nimg/a,café\nimg/b.png,dog\n", reading: Reading{Suffix: ".jpg"}},
		{name: "excluded rows", text: "path,label\nimg/a.jpg,café\nimg/b.png,dog\nimg/c.png,dog\n", reading: Reading{Exclude: []string{"c.*"}}, says: "1 folder or file that are excluded"},
		{name: "names of parts", text: "path,label,subset\nimg/a.jpg,café,training\nimg/b.png,dog,dev\n", want: []string{"img/a.jpg café ", "img/b.png dog val"}, says: `the split from "subset"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, twoImages...)
			file := filepath.Join(dir, "set.csv")
			if c.file != "" {
				file = filepath.Join(dir, c.file)
			}
			must(t, os.WriteFile(file, []byte(c.text), 0o644))
			c.reading.Root = strings.Replace(c.reading.Root, "DIR", dir, 1)
			ds, err := Scan(context.Background(), Options{Train: file, Reading: c.reading}, nil)
			must(t, err)
			if c.want == nil {
				c.want = want
			}
			if diff := cmp.Diff(c.want, listing(ds)); diff != "" {
				t.Error(diff)
			}
			if said := fmt.Sprint(ds.Notes); !strings.Contains(said, c.says) || (c.says == "") != (len(ds.Notes) == 0) {
				t.Errorf("says %s, not %q", said, c.says)
			}
		})
	}
}

func TestTablesThatCannotBeReadSayWhere(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		reading          Reading
		is               error
		says             []string
		step             string
	}{
		{name: "Latin-1", text: "path,label\nimg/a.jpg,cat\nimg/b.png,caf\xe9\n", is: ErrEncoding, says: []string{"set.csv:3: byte 14 of the line is 0xE9", "Latin-1"}},
		{name: "UTF-16 without a mark", text: utf16Text("path,label\n", true)[2:], is: ErrEncoding, says: []string{"set.csv:1: a zero byte"}},
		{name: "a workbook", text: "PK\x03\x04rest", is: ErrEncoding, says: []string{"save the sheet as CSV"}},
		{name: "no column of paths", text: "name,breed\nx,img/a.jpg\n", is: ErrData, says: []string{"the header (name,breed) has no column path"}, step: "Data.Reading.Columns.Path = breed"},
		{name: "a column that is not there", text: "id,breed\na.jpg,cat\n", reading: Reading{Columns: Columns{Label: "race"}}, is: ErrData, says: []string{`no column "race" for the label; the columns are id,breed`}},
		{name: "nothing there", text: "path,label\nx.jpg,cat\ny.jpg,dog\n", is: ErrMissing, says: []string{"none of 2 images", filepath.FromSlash("/x.jpg"), filepath.FromSlash("/y.jpg")}, step: "another Data.Reading.Root"},
		{name: "nothing there, and no ending", text: "id,label\n1,cat\n2,dog\n", is: ErrMissing, says: []string{"none of 2 images"}, step: "another Data.Reading.Root, another Data.Reading.Suffix"},
		{name: "nothing there with this ending", text: "id,label\nimg/a,cat\n", reading: Reading{Suffix: ".tif"}, is: ErrMissing, says: []string{filepath.FromSlash("img/a.tif")}, step: "another Data.Reading.Root, another Data.Reading.Suffix"},
		{name: "nothing there, but in a folder", text: "id,label\na,cat\nb,dog\n", is: ErrMissing, says: []string{"none of 2 images"}, step: "Data.Reading.Root = DIR/img"},
		{name: "several labels", text: "path,label\nimg/a.jpg,cat\nimg/b.png,\"cat,dog\"\nimg/c.png,dog\n", is: ErrSeveralLabels, says: []string{`set.csv:3: "cat,dog" names "cat", "dog"`}},
		{name: "several labels, never one", text: "path;label\nimg/a.jpg;cat|dog\nimg/b.png;dog|cow\nimg/c.png;cow|cat\n", is: ErrSeveralLabels, says: []string{`set.csv:2: "cat|dog"`}},
		{name: "a list in JSON", file: "set.jsonl", text: "{\"path\": \"img/a.jpg\", \"label\": [\"cat\", \"dog\"]}\n", is: ErrSeveralLabels, says: []string{"set.jsonl:1"}},
		{name: "no JSON", file: "set.jsonl", text: "{\"path\": \"img/a.jpg\"}\nimg/b.png\n", is: ErrData, says: []string{"set.jsonl:2: not a JSON object"}},
		{name: "a wrong line after one for Excel", text: "sep=;\npath;split\nimg/a.jpg;devel\n", is: ErrData, says: []string{`set.csv:3: split "devel"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, twoImages...)
			file := filepath.Join(dir, "set.csv")
			if c.file != "" {
				file = filepath.Join(dir, c.file)
			}
			must(t, os.WriteFile(file, []byte(c.text), 0o644))
			_, err := Scan(context.Background(), Options{Train: file, Reading: c.reading}, nil)
			if !errors.Is(err, c.is) || !errors.Is(err, ErrData) {
				t.Fatalf("got %v, want %v", err, c.is)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
			var steps []string
			for _, s := range journal.Steps(err) {
				steps = append(steps, filepath.ToSlash(strings.Replace(s.String(), dir, "DIR", 1)))
			}
			if got := strings.Join(steps, ", "); got != c.step {
				t.Errorf("steps %q, want %q", got, c.step)
			}
		})
	}
}

// "tench, Tinca tinca" is one class of ImageNet: its parts are no labels.
func TestALabelWithACommaIsOneLabel(t *testing.T) {
	dir := tree(t, twoImages...)
	file := filepath.Join(dir, "set.csv")
	must(t, os.WriteFile(file, []byte("path,label\nimg/a.jpg,\"tench, Tinca tinca\"\nimg/b.png,\"hen\"\n"), 0o644))
	ds, err := Scan(context.Background(), Options{Train: file}, nil)
	must(t, err)
	if diff := cmp.Diff([]string{"hen", "tench, Tinca tinca"}, ds.Classes); diff != "" {
		t.Error(diff)
	}
}

func TestATableWithoutLabelsSaysWhatItHas(t *testing.T) {
	dir := tree(t, twoImages...)
	file := filepath.Join(dir, "set.csv")
	must(t, os.WriteFile(file, []byte("id,breed\nimg/a,cat\nimg/b,dog\n"), 0o644))
	ds, err := Scan(context.Background(), Options{Train: file}, nil)
	must(t, err)
	err = ds.Trainable(0)
	steps := journal.Steps(err)
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "its columns are id,breed") || len(steps) != 1 || steps[0] != journal.SetTo("Data.Reading.Columns.Label", "breed") {
		t.Errorf("%v, try %v", err, steps)
	}
}

func TestMetadataBesideImages(t *testing.T) {
	for _, c := range []scanTree{
		{name: "CSV", files: []string{"a.jpg", "sub/b.jpg", "c.jpg"}, content: map[string]string{"metadata.csv": "file_name,label\na.jpg,cat\nsub/b.jpg,dog\n"},
			want: []string{"a.jpg cat ", "sub/b.jpg dog "}, notes: []string{"the labels are those in", "1 image left out"}},
		{name: "JSON lines in parts", files: []string{"train/a.jpg", "train/b.jpg", "test/c.jpg"},
			content: map[string]string{"train/metadata.jsonl": "{\"file_name\": \"a.jpg\", \"label\": \"cat\"}\n{\"file_name\": \"b.jpg\", \"label\": \"dog\"}\n", "test/metadata.jsonl": "{\"file_name\": \"c.jpg\", \"label\": \"dog\"}\n"},
			want:    []string{"train/a.jpg cat ", "train/b.jpg dog ", "test/c.jpg dog test"}, notes: []string{"the labels are those in"}},
		{name: "parts by folder", files: []string{"train/a.jpg", "train/b.jpg", "validation/c.jpg"}, content: map[string]string{"metadata.csv": "file_name,label\ntrain/a.jpg,cat\ntrain/b.jpg,dog\nvalidation/c.jpg,dog\n"},
			want: []string{"train/a.jpg cat ", "train/b.jpg dog ", "validation/c.jpg dog val"}, notes: []string{"the labels are those in"}},
		{name: "of another kind", files: []string{"cat/a.jpg", "dog/b.jpg"}, content: map[string]string{"metadata.csv": "isic_id,age\nx,3\n"},
			want: []string{"cat/a.jpg cat ", "dog/b.jpg dog "}, notes: []string{"metadata.csv lies beside the images and is not read: it has no column file_name"}},
	} {
		t.Run(c.name, c.run)
	}
}

func FuzzSheet(f *testing.F) {
	for _, text := range []string{"path,label\na,b\n", "sep=;\npath;label\n\"a\nb\";c\n", "sep=\"\n", "sep=:\nfile:class\na:b\n", utf16Text("path\tlabel\n", true), "", "\ufeff", "{\"a\": 1}\n"} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, lines bool) {
		file := filepath.Join(t.TempDir(), "set.csv")
		if lines {
			file += ".jsonl"
		}
		must(t, os.WriteFile(file, text, 0o644))
		s, err := openSheet(file, Columns{})
		if err != nil {
			return
		}
		for row, err := range s.rows {
			if err == nil && len(row.fields) != len(s.header) {
				t.Fatalf("a row of %d fields below %d columns", len(row.fields), len(s.header))
			}
		}
	})
}

func TestNumbersTakenForLabelsAreRefused(t *testing.T) {
	dir := tree(t, "0.jpg")
	var table strings.Builder
	table.WriteString("path,target\n")
	for i := range 10_001 {
		fmt.Fprintf(&table, "%d.jpg,id %d\n", i, i)
	}
	file := filepath.Join(dir, "set.csv")
	must(t, os.WriteFile(file, []byte(table.String()), 0o644))
	ds, err := Scan(context.Background(), Options{Train: file}, nil)
	must(t, err)
	err = ds.Trainable(0)
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), `the column "target" of `+file+` gives 10,001 different labels, such as "id 0", and 10,000 are the limit`) {
		t.Errorf("got %v", err)
	}
	if err := ds.Trainable(10_001); err != nil {
		t.Errorf("allowed: %v", err)
	}
}
