package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"icebox/extract/format"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

var (
	// ErrMissing is returned for a table none of whose images is there.
	ErrMissing = fmt.Errorf("%w: no image of the table is there", ErrData)
	// ErrSeveralLabels is returned for a table that gives an image several labels.
	ErrSeveralLabels = fmt.Errorf("%w: several labels of one image", ErrData)
)

// table is what reading the rows of a sheet needs to know.
type table struct {
	sheet
	at      map[string]int // index of a column
	part    Part           // of a row without a split
	root    int
	base    string // folder below the root that paths start from
	reading Reading
	beside  bool // the sheet lies beside the images: their folders may name the parts

	ending  string // that was added to a path the last time, to be tried first
	labels  map[string]int
	found   int      // rows whose image is there
	missing []string // the first paths that were looked for and are not there
}

// table adds the items of a table: a header, then a line an image. Paths are relative to
// the table, unless o says otherwise. Part is what a line without a split gets, and
// prefix is before the paths, for people.
func (s *scanner) table(file, prefix string, part Part, o Options) error {
	if err := checkCompressed(file); err != nil {
		return err
	}
	if !slices.Contains(tableEndings, format.Ending(file)) && archiveKind(file) != Parquet {
		return fmt.Errorf("%w: %s is neither a folder nor a table (%s)", ErrData, file, words.Or(tableEndings))
	}
	dir := filepath.Dir(file)
	if o.Reading.Root != "" {
		dir = o.Reading.Root
	}
	sheet, err := openSheet(file, o.Reading.Columns)
	if err != nil {
		return err
	}
	t, err := newTable(sheet, o.Reading)
	if err != nil {
		return err
	}
	t.part, t.root = part, s.addRoot(dir, prefix)
	if s.unlabelled {
		t.at = map[string]int{"path": t.at["path"]}
	}
	return s.rows(t)
}

// newTable finds the columns of a sheet.
func newTable(sheet sheet, r Reading) (t *table, err error) {
	t = &table{sheet: sheet, reading: r, labels: map[string]int{}}
	if t.at, err = findColumns(t.header, r.Columns); err != nil {
		err = fmt.Errorf("%w: %s: %w", ErrData, sheet.file, err)
		if r.Columns == (Columns{}) {
			err = journal.WithSteps(err, guessPath(sheet)...)
		}
		return nil, err
	}
	return t, nil
}

// rows adds the items of t, or says what is wrong with up to ten of its lines.
func (s *scanner) rows(t *table) error {
	s.noteColumns(t)
	var faults []error
	seen := map[string]int{}
	before := len(s.ds.Items)
	for row, err := range t.sheet.rows {
		if err == nil {
			err = s.ctx.Err()
		}
		if err != nil {
			return err
		}
		name := t.field(row.fields, "path")
		fault := s.row(row, t)
		if p := filepath.Clean(filepath.FromSlash(name)); fault == nil && seen[p] != 0 {
			fault = fmt.Errorf("%s stands in line %d already", name, seen[p])
		} else {
			seen[p] = row.line
		}
		if fault != nil {
			faults = append(faults, fmt.Errorf("%w: %s:%d: %w", ErrData, t.file, row.line, fault))
			if len(faults) == 10 {
				break
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if i, ok := t.at["label"]; ok {
		s.ds.labelsFrom = fmt.Sprintf("the column %q of %s", strings.TrimSpace(t.header[i]), t.file)
	}
	if len(t.labels) <= DefaultMaxClasses { // else they are no labels, and every pair of parts would be looked up
		if err := t.checkSeveral(); err != nil {
			return err
		}
	}
	if n := len(s.ds.Items) - before; n > 0 && t.found == 0 {
		return s.missing(t, n)
	}
	return nil
}

// noteColumns says which columns are read, where their names are not the usual ones, and
// that there is none of labels.
func (s *scanner) noteColumns(t *table) {
	var unusual []string
	for _, names := range columnNames {
		if i, ok := t.at[names.of]; ok && t.reading.Columns.named(names.of) == "" && !slices.Contains(names.usual, plainName(t.header[i])) {
			unusual = append(unusual, fmt.Sprintf("the %s from %q", names.of, strings.TrimSpace(t.header[i])))
		}
	}
	if len(unusual) > 0 {
		s.note("%s: icebox reads %s", t.file, strings.Join(unusual, ", "))
	}
	if _, ok := t.at["label"]; ok || s.unlabelled {
		return
	}
	if steps := guessLabel(t.header, t.at); len(steps) > 0 {
		s.ds.noLabels = journal.Note{Text: fmt.Sprintf("%s has no column of labels that icebox knows; its columns are %s", t.file, headerText(t.header)), Steps: steps}
		s.ds.Notes = append(s.ds.Notes, s.ds.noLabels)
	}
}

// field is a cell of a row, by what its column holds; "" where there is no such column.
func (t *table) field(fields []string, of string) string {
	if i, ok := t.at[of]; ok {
		return strings.TrimSpace(fields[i])
	}
	return ""
}

// row adds the item of one row.
func (s *scanner) row(row sheetRow, t *table) error {
	p := t.field(row.fields, "path")
	if p == "" {
		return errors.New("the path is empty")
	}
	for _, of := range []string{"path", "label", "group"} {
		if n := len(t.field(row.fields, of)); n > maxText {
			return fmt.Errorf("the %s has %d bytes: %d are the limit", of, n, maxText)
		}
	}
	part, err := t.partOf(row.fields, p)
	if err != nil {
		return err
	}
	label := t.field(row.fields, "label")
	if strings.HasPrefix(label, "[") && strings.HasSuffix(label, "]") {
		return fmt.Errorf("%w: the label is a list (%s), and a head gives an image one class", ErrSeveralLabels, label)
	}
	rel, fi, err := t.find(s.ds.Roots[t.root].Dir, p)
	if err != nil {
		return err
	}
	item := Item{Root: t.root, Path: rel, Part: part, Group: t.field(row.fields, "group")}
	if s.excludedPath(rel) {
		return nil
	}
	if fi != nil {
		if !fi.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", p)
		}
		item.Stat = StatOf(fi)
		t.found++
	} else if len(t.missing) < 3 {
		t.missing = append(t.missing, s.ds.File(&item))
	}
	if _, ok := t.labels[label]; !ok && label != "" {
		t.labels[label] = row.line
	}
	s.add(item, label)
	return nil
}

// partOf is the part of a row whose image is p.
func (t *table) partOf(fields []string, p string) (Part, error) {
	name := t.field(fields, "split")
	if name == "" {
		if first, _, ok := strings.Cut(p, "/"); ok && t.beside && t.part == Unassigned {
			if part, ok := ParsePart(first); ok && part != Train {
				return part, nil
			}
		}
		return t.part, nil
	}
	part, ok := ParsePart(name)
	if !ok {
		return part, fmt.Errorf("split %q is not train, val or test", name)
	}
	if t.part != Unassigned && part != t.part {
		return part, fmt.Errorf("split %q in a table of %s images", name, t.part)
	}
	return part, nil
}

// excludedPath reports whether a path or a folder above it is excluded, and counts it.
func (s *scanner) excludedPath(rel string) bool {
	if s.exclude == nil {
		return false
	}
	for at, folder := rel, false; at != "." && at != "/" && at != ".."; at, folder = path.Dir(at), true {
		if s.exclude.excludes(at, folder) {
			s.excluded.add(rel)
			return true
		}
	}
	return false
}

// find returns the path below dir of the image that a cell names, and its stat; nil if it
// is not there. The cell may lack the ending, or be written as on Windows.
func (t *table) find(dir, cell string) (rel string, fi fs.FileInfo, err error) {
	tries := t.tries(cell)
	if strings.Contains(cell, `\`) {
		tries = append(tries, t.tries(strings.ReplaceAll(cell, `\`, "/"))...)
	}
	for _, try := range tries {
		full := filepath.FromSlash(path.Join(t.base, try))
		if filepath.IsAbs(filepath.FromSlash(try)) {
			full = filepath.FromSlash(try)
		} else {
			full = filepath.Join(dir, full)
		}
		below, err := filepath.Rel(dir, full)
		if err != nil {
			return "", nil, err
		}
		if rel == "" {
			rel = filepath.ToSlash(below)
		}
		if fi, err := os.Stat(full); err == nil && (!fi.IsDir() || len(tries) == 1) {
			if ending, ok := strings.CutPrefix(try, cell); ok {
				t.ending = ending
			}
			return filepath.ToSlash(below), fi, nil
		}
	}
	return rel, nil, nil
}

// upperEndings are endings that cameras write.
var upperEndings = []string{".JPG", ".JPEG", ".PNG"}

// tries are the names that a cell may stand for, the likeliest first.
func (t *table) tries(cell string) []string {
	if suffix := t.reading.Suffix; suffix != "" {
		if strings.HasSuffix(cell, suffix) {
			return []string{cell}
		}
		return []string{cell + suffix, cell}
	}
	if format.ByEnding(cell) == format.Image {
		return []string{cell}
	}
	tries := []string{cell}
	if t.ending != "" {
		tries = []string{cell + t.ending, cell}
	}
	for _, ending := range slices.Concat(format.Endings, upperEndings) {
		if ending != t.ending {
			tries = append(tries, cell+ending)
		}
	}
	return tries
}

// missing is the error of a table of n rows none of whose images is there. It says where
// they were looked for, and what may be amiss: the folder, or the ending.
func (s *scanner) missing(t *table, n int) error {
	dir := s.ds.Roots[t.root].Dir
	missing := fmt.Errorf("%w: none of %s in %s; looked for were %s", ErrMissing, words.Count(n, "image"), t.file, strings.Join(t.missing, ", "))
	steps := []journal.Step{{Do: journal.Change, Field: "Data.Reading.Root"}}
	first, relErr := filepath.Rel(dir, t.missing[0])
	if l, err := visible(dir); err == nil && relErr == nil {
		for _, name := range l.folders {
			below := filepath.Join(dir, name)
			if _, fi, err := t.find(below, filepath.ToSlash(first)); err == nil && fi != nil {
				return journal.WithSteps(missing, journal.SetTo("Data.Reading.Root", below))
			}
		}
	}
	if t.reading.Suffix != "" || format.ByEnding(first) != format.Image {
		steps = append(steps, journal.Step{Do: journal.Change, Field: "Data.Reading.Suffix"})
	}
	return journal.WithSteps(missing, steps...)
}

// checkSeveral refuses a label that is made of others: "cat,dog" where cat and dog are
// labels too, alone or in another such label.
func (t *table) checkSeveral() error {
	for _, delimiter := range []string{",", ";", "|"} {
		in := map[string]int{} // labels that hold a part
		for label := range t.labels {
			for _, part := range labelParts(label, delimiter) {
				in[part]++
			}
		}
		worst, at := "", 0
		for label, line := range t.labels {
			parts := labelParts(label, delimiter)
			if len(parts) > 1 && (at == 0 || line < at) &&
				!slices.ContainsFunc(parts, func(part string) bool { return t.labels[part] == 0 && in[part] < 2 }) {
				worst, at = label, line
			}
		}
		if at > 0 {
			return fmt.Errorf("%w: %s:%d: %q names %s, which are labels of their own: a head gives an image one class", ErrSeveralLabels, t.file, at, worst, words.List(labelParts(worst, delimiter)))
		}
	}
	return nil
}

// labelParts are the different parts of a label, sorted; nil where it has one alone.
func labelParts(label, delimiter string) []string {
	if !strings.Contains(label, delimiter) {
		return nil
	}
	parts := strings.Split(label, delimiter)
	for i := range parts {
		if parts[i] = strings.TrimSpace(parts[i]); parts[i] == "" {
			return nil
		}
	}
	slices.Sort(parts)
	if parts = slices.Compact(parts); len(parts) < 2 {
		return nil
	}
	return parts
}
