package dataset

import (
	"fmt"
	"slices"
	"strings"

	"icebox/extract/format"
	"icebox/pipeline/journal"
)

// columnNames are the names that a table's header gives to what icebox reads. A name of
// usual is taken for certain; one of others counts where none of the usual ones is there,
// the first first.
var columnNames = []struct {
	of            string
	usual, others []string
}{
	{"path", []string{"path", "image_path", "file_name", "filename", "file", "image"},
		[]string{"filepath", "file_path", "img_path", "image_file", "image_filename", "image_name", "imagename", "img_name", "img", "images", "filenames", "fname", "image_id", "imageid", "img_id", "id"}},
	{"label", []string{"label", "class"}, []string{"class_name", "classname", "label_name", "labels", "category", "category_name", "target"}},
	{"split", []string{"split"}, []string{"subset", "partition"}},
	{"group", []string{"group"}, nil},
}

// named is the column that c names for what is read.
func (c Columns) named(of string) string {
	return map[string]string{"path": c.Path, "label": c.Label, "split": c.Split, "group": c.Group}[of]
}

// findColumns finds the columns of a header by what they hold.
func findColumns(header []string, c Columns) (map[string]int, error) {
	at := map[string]int{}
	for _, names := range columnNames {
		of := names.of
		if name := c.named(of); name != "" {
			i := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(name)) })
			if i < 0 {
				return nil, fmt.Errorf("there is no column %q for the %s; the columns are %s", name, of, headerText(header))
			}
			at[of] = i
			continue
		}
		found := columnsOf(header, names.usual)
		if len(found) > 1 {
			return nil, fmt.Errorf("the header names the %s twice", of)
		}
		if found = append(found, columnsOf(header, names.others)...); len(found) > 0 {
			at[of] = found[0]
		}
	}
	if _, ok := at["path"]; !ok {
		return nil, fmt.Errorf("the header (%s) has no column path, nor one of another usual name", headerText(header))
	}
	return at, nil
}

// columnsOf lists the columns of a header that have one of some names, in the names' order.
func columnsOf(header, names []string) []int {
	var found []int
	for _, name := range names {
		for i, h := range header {
			if plainName(h) == name {
				found = append(found, i)
			}
		}
	}
	return found
}

// plainName is a column's name in small letters and with "_" for what separates words.
func plainName(h string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(h)))
}

// headerText lists the first columns of a header.
func headerText(header []string) string {
	const most = 20
	text := strings.Join(header[:min(len(header), most)], ",")
	if len(header) > most {
		text += fmt.Sprintf(",… (%d columns)", len(header))
	}
	return text
}

// guessPath are the steps for a header without a column of paths: the column whose first
// cell looks like a file, or else the first.
func guessPath(s sheet) []journal.Step {
	guess := 0
	for row, err := range s.rows {
		if err != nil {
			return nil
		}
		guess = max(0, slices.IndexFunc(row.fields, func(cell string) bool { return format.ByEnding(strings.TrimSpace(cell)) == format.Image }))
		break
	}
	if guess >= len(s.header) || strings.TrimSpace(s.header[guess]) == "" {
		return nil
	}
	return []journal.Step{journal.SetTo("Data.Reading.Columns.Path", strings.TrimSpace(s.header[guess]))}
}

// guessLabel are the steps for a header without a column of labels: the first columns that
// nothing is read from.
func guessLabel(header []string, at map[string]int) []journal.Step {
	const most = 3
	used := map[int]bool{}
	for _, i := range at {
		used[i] = true
	}
	var steps []journal.Step
	for i, h := range header {
		if h = strings.TrimSpace(h); !used[i] && h != "" && len(steps) < most {
			steps = append(steps, journal.SetTo("Data.Reading.Columns.Label", h))
		}
	}
	return steps
}
