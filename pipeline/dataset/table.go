package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// columns are the names a manifest's header may give, the usual one first.
var columns = map[string][]string{
	"path":  {"path", "image_path", "file_name", "filename", "file", "image"},
	"label": {"label", "class"},
	"split": {"split"},
	"group": {"group"},
}

// table adds the items of a CSV manifest: a header, then a line an image.
// Paths are relative to the manifest. Part is what a line without a split gets.
func (s *scanner) table(file string, part Part, o Options) error {
	if !strings.EqualFold(filepath.Ext(file), ".csv") {
		return fmt.Errorf("%w: %s is neither a folder nor a .csv manifest", ErrData, file)
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	if bom, err := in.Peek(3); err == nil && string(bom) == "\ufeff" {
		in.Discard(3)
	}
	r := csv.NewReader(in)
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("%w: %s: no header line (path,label[,split,group]): %w", ErrData, file, err)
	}
	at, err := headerColumns(header)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrData, file, err)
	}
	return s.tableLines(r, table{file: file, at: at, part: part, root: s.addRoot(filepath.Dir(file), o.prefix(part))})
}

// table is what reading a manifest's lines needs to know.
type table struct {
	file string
	at   map[string]int // index of a column
	part Part
	root int
}

func headerColumns(header []string) (map[string]int, error) {
	at := map[string]int{}
	for want, names := range columns {
		for i, h := range header {
			if slices.Contains(names, strings.ToLower(strings.TrimSpace(h))) {
				if _, twice := at[want]; twice {
					return nil, fmt.Errorf("the header names the %s twice", want)
				}
				at[want] = i
			}
		}
	}
	if _, ok := at["path"]; !ok {
		return nil, fmt.Errorf("the header (%s) has no column path", strings.Join(header, ","))
	}
	return at, nil
}

func (s *scanner) tableLines(r *csv.Reader, src table) error {
	var faults []error
	seen := map[string]int{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrData, src.file, err)
		}
		line, _ := r.FieldPos(0)
		fault := s.tableLine(record, src)
		if p := filepath.Clean(filepath.FromSlash(src.field(record, "path"))); fault == nil && seen[p] != 0 {
			fault = fmt.Errorf("%s stands in line %d already", src.field(record, "path"), seen[p])
		} else {
			seen[p] = line
		}
		if fault != nil {
			faults = append(faults, fmt.Errorf("%w: %s:%d: %w", ErrData, src.file, line, fault))
			if len(faults) == 10 {
				break
			}
		}
	}
	return errors.Join(faults...)
}

func (c table) field(record []string, name string) string {
	if i, ok := c.at[name]; ok {
		return strings.TrimSpace(record[i])
	}
	return ""
}

func (s *scanner) tableLine(record []string, src table) error {
	p := src.field(record, "path")
	if p == "" {
		return errors.New("the path is empty")
	}
	part := src.part
	if name := src.field(record, "split"); name != "" {
		var ok bool
		if part, ok = ParsePart(name); !ok {
			return fmt.Errorf("split %q is not train, val or test", name)
		}
		if src.part != Unassigned && part != src.part {
			return fmt.Errorf("split %q in a manifest of %s images", name, src.part)
		}
	}
	rel := filepath.FromSlash(p)
	if filepath.IsAbs(rel) {
		var err error
		if rel, err = filepath.Rel(s.ds.Roots[src.root].Dir, rel); err != nil {
			return err
		}
	}
	item := Item{Root: src.root, Path: filepath.ToSlash(filepath.Clean(rel)), Part: part, Group: src.field(record, "group")}
	if fi, err := os.Stat(s.ds.File(&item)); err == nil {
		if !fi.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", p)
		}
		item.Stat = StatOf(fi)
	}
	s.add(item, src.field(record, "label"))
	return nil
}
