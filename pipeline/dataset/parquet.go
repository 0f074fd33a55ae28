package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"icebox/pipeline/internal/parquetfile"
	"icebox/pipeline/journal"
)

// imageColumns are the usual names of columns with encoded images.
var imageColumns = []string{"image", "img", "images", "image_bytes", "jpg", "jpeg", "png", "bytes", "content", "pixel_values"}

// moreLabels are names of columns of classes that Hugging Face's data sets have beside the
// usual ones.
var moreLabels = []string{"fine_label"}

// openParquet opens a parquet file, which people call shown; an error is an [ErrData].
func openParquet(file, shown string) (*parquetfile.File, error) {
	f, err := parquetfile.Open(file)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			return nil, fmt.Errorf("%w: %w", ErrData, err)
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrData, shown, err)
	}
	return f, nil
}

// listParquet lists the images of a parquet file, and their classes. The error is an errTable
// where no column holds images, but one may hold their paths.
func listParquet(a *archive, file string, r Reading, unlabelled bool) error {
	f, err := openParquet(file, a.file)
	if err != nil {
		return err
	}
	defer f.Close()
	images, err := a.imageColumn(f, r.Columns)
	if err != nil {
		return err
	}
	t := parquetTable{f: f, columns: f.Columns(), names: classLabels(f)}
	read := map[string]parquetfile.Column{}
	if !unlabelled {
		if read, err = a.readColumns(&t, images, r.Columns); err != nil {
			return err
		}
	}
	if images.Text != "" {
		read["path"] = images
	}
	_, a.Labelled = read["label"]
	a.Column = images.Bytes
	return a.takeRows(&t, images, read)
}

// imageColumn is the column that holds images: the one that c names, one of a usual name, or
// the only one.
func (a *archive) imageColumn(f *parquetfile.File, c Columns) (col parquetfile.Column, err error) {
	all := f.Columns()
	if c.Path != "" {
		i := slices.IndexFunc(all, func(col parquetfile.Column) bool { return strings.EqualFold(col.Name, c.Path) })
		switch {
		case i < 0:
			return col, a.fault("there is no column %q for the images; the columns are %s", c.Path, columnsText(all))
		case all[i].Kind == parquetfile.Nested:
			return col, a.fault("the column %q holds lists or structures, and neither images nor paths", c.Path)
		}
		return all[i], a.embedded(f, all[i])
	}
	var found []parquetfile.Column
	for _, kind := range []parquetfile.Kind{parquetfile.Image, parquetfile.Binary} {
		for _, name := range imageColumns {
			for _, col := range all {
				if col.Kind == kind && plainName(col.Name) == name {
					return col, a.embedded(f, col)
				}
			}
		}
		for _, col := range all {
			if col.Kind == kind && len(found) == 0 || len(found) > 0 && found[0].Kind == kind && col.Kind == kind {
				found = append(found, col)
			}
		}
	}
	switch len(found) {
	case 0:
		return col, errTable
	case 1:
		return found[0], a.embedded(f, found[0])
	}
	err = a.fault("the columns %s may all hold the images", columnsText(found))
	return col, journal.WithSteps(err, journal.SetTo("Data.Reading.Columns.Path", found[0].Name), journal.SetTo("Data.Reading.Columns.Path", found[1].Name))
}

// embedded returns an errTable unless a column holds the bytes of images.
func (a *archive) embedded(f *parquetfile.File, col parquetfile.Column) error {
	if col.Bytes == "" {
		return errTable
	}
	if _, none := f.Sizes(col.Bytes); none {
		if col.Text != "" {
			return errTable
		}
		return a.fault("the column %q is empty", col.Name)
	}
	return nil
}

func columnsText(all []parquetfile.Column) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return headerText(names)
}

// readColumns finds the columns of labels, parts and groups.
func (a *archive) readColumns(t *parquetTable, images parquetfile.Column, c Columns) (map[string]parquetfile.Column, error) {
	read := map[string]parquetfile.Column{}
	header := make([]string, len(t.columns))
	for i, col := range t.columns {
		header[i] = col.Name
	}
	for _, names := range columnNames {
		of, want := names.of, slices.Concat(names.usual, names.others)
		if of == "path" {
			continue
		}
		if of == "label" {
			want = slices.Concat(want, moreLabels)
		}
		named := c.named(of)
		if named != "" {
			want = []string{plainName(named)}
		}
		for _, i := range columnsOf(header, want) {
			col := t.columns[i]
			if col.Name == images.Name {
				continue
			}
			if col.Kind != parquetfile.Text {
				if named == "" && of != "label" {
					break
				}
				return nil, a.fault("%w: the column %q for the %s holds lists or structures: a head gives an image one class", ErrSeveralLabels, col.Name, of)
			}
			read[of] = col
			break
		}
		if _, ok := read[of]; !ok && named != "" {
			return nil, a.fault("there is no column %q for the %s; the columns are %s", named, of, headerText(header))
		}
	}
	return read, nil
}

// takeRows adds an item a row.
func (a *archive) takeRows(t *parquetTable, images parquetfile.Column, read map[string]parquetfile.Column) error {
	var columns []parquetfile.Column
	at := map[string]int{}
	for of, col := range read {
		at[of] = len(columns)
		columns = append(columns, col)
	}
	sizes, _ := t.f.Sizes(images.Bytes)
	seen := map[string]bool{}
	group, left := -1, int64(0)
	row, n := []string(nil), int64(0)
	cell := func(of string) string {
		if i, ok := at[of]; ok {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	for r, err := range t.rows(columns) {
		if err != nil {
			return a.fault("%w", err)
		}
		for row = r; left == 0 && group+1 < len(sizes); {
			group++
			left = sizes[group].Rows
		}
		it := Item{Path: rowName(cell("path"), n, seen), Offset: n, Group: cell("group")}
		if group >= 0 && sizes[group].Rows > 0 {
			it.Stat.Size = sizes[group].Bytes / sizes[group].Rows
		}
		part, ok := ParsePart(cell("split"))
		if cell("split") != "" && !ok {
			return a.fault("row %d: split %q is not train, val or test", n, cell("split"))
		}
		if len(it.Path) > maxText || len(it.Group) > maxText || len(cell("label")) > maxText {
			return a.fault("row %d: a path, label or group of more than %d bytes", n, maxText)
		}
		it.Part = part
		a.items, a.classes = append(a.items, it), append(a.classes, cell("label"))
		n, left = n+1, left-1
	}
	return nil
}

// rowName is what the image in a row is called: as the path beside it says, or by its row.
// Of images of one name, all but the first have the row behind it.
func rowName(text string, row int64, seen map[string]bool) string {
	name := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(text, `\`, "/")), "/")
	if strings.HasPrefix(text, "/") || strings.Contains(text, ":") {
		name = path.Base(name) // of another machine
	}
	switch {
	case name == "" || name == "." || name == "/":
		return fmt.Sprintf("row-%07d", row)
	case seen[name]:
		return fmt.Sprintf("%s@%d", name, row)
	}
	seen[name] = true
	return name
}

// parquetTable is a parquet file that is read row by row.
type parquetTable struct {
	f       *parquetfile.File
	columns []parquetfile.Column
	names   map[string][]string // of numbered classes, by column
}

// rows yields columns as texts, and numbered classes by their names. The slice is used again.
func (t *parquetTable) rows(columns []parquetfile.Column) func(func([]string, error) bool) {
	leaves := make([]string, len(columns))
	for i, c := range columns {
		leaves[i] = c.Text
	}
	return func(yield func([]string, error) bool) {
		for row, err := range t.f.Texts(leaves) {
			for i := range row {
				names := t.names[columns[i].Name]
				if names == nil || err != nil {
					continue
				}
				n, bad := strconv.Atoi(row[i])
				switch {
				case row[i] == "" || bad == nil && n == -1: // no label, as Hugging Face writes it
					row[i] = ""
				case bad != nil || n < 0 || n >= len(names):
					err = fmt.Errorf("the column %q holds class %s, and the file names %d classes, counted from 0", columns[i].Name, row[i], len(names))
				default:
					row[i] = names[n]
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// classLabels are the names of numbered classes that Hugging Face's datasets writes into the
// file, by column.
func classLabels(f *parquetfile.File) map[string][]string {
	var meta struct {
		Info struct {
			Features map[string]json.RawMessage `json:"features"`
		} `json:"info"`
	}
	names := map[string][]string{}
	if err := json.Unmarshal([]byte(f.Metadata("huggingface")), &meta); err != nil {
		return names // the file is another program's
	}
	for column, text := range meta.Info.Features {
		var feature struct {
			Names []string `json:"names"`
			Type  string   `json:"_type"`
		}
		if err := json.Unmarshal(text, &feature); err == nil && feature.Type == "ClassLabel" && len(feature.Names) > 0 {
			names[column] = feature.Names
		}
	}
	return names
}

// parquetSheet is a parquet file as a table of texts. A column of images gives their paths.
func parquetSheet(file string) (sheet, error) {
	f, err := openParquet(file, file)
	if err != nil {
		return sheet{}, err
	}
	defer f.Close()
	s := sheet{file: file}
	var columns []parquetfile.Column
	for _, c := range f.Columns() {
		if c.Text != "" {
			columns = append(columns, c)
			s.header = append(s.header, c.Name)
		}
	}
	if len(columns) == 0 {
		return s, fmt.Errorf("%w: %s holds neither images nor their paths; its columns are %s", ErrData, file, columnsText(f.Columns()))
	}
	names := classLabels(f)
	s.rows = func(yield func(sheetRow, error) bool) {
		f, err := openParquet(file, file)
		if err != nil {
			yield(sheetRow{}, err)
			return
		}
		defer f.Close()
		t := parquetTable{f: f, names: names}
		n := 0
		for row, err := range t.rows(columns) {
			n++
			if err != nil {
				err = fmt.Errorf("%w: %s: %w", ErrData, file, err)
			}
			if !yield(sheetRow{n, slices.Clone(row)}, err) || err != nil {
				return
			}
		}
	}
	return s, nil
}
