package features

import (
	"cmp"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"icebox/pipeline/dataset"
)

// maxField bounds the texts of a line: paths are shorter on every system.
const maxField = 16 << 10

// index makes the items, with what index.csv says of them, if it is there.
func (s *arraySet) index() error {
	s.items = make([]dataset.Item, len(s.labels))
	for i := range s.items {
		s.items[i].Part = cmp.Or(s.part, dataset.Train)
	}
	s.nameRows()
	path := filepath.Join(s.dir, indexFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", dataset.ErrData, err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("%w: %s: no header line (row,path,label,split,sha256): %w", dataset.ErrData, path, err)
	}
	at := map[string]int{}
	for i, h := range header {
		at[strings.TrimSpace(h)] = i
	}
	s.names = map[int64]string{}
	for n := range s.items {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: %s has %d rows, but %s has %d", dataset.ErrData, path, n, featuresFile, len(s.items))
		}
		if err == nil {
			err = s.indexLine(n, record, at)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: row %d: %w", dataset.ErrData, path, n, err)
		}
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %s has more rows than %s, which has %d", dataset.ErrData, path, featuresFile, len(s.items))
	}
	return nil
}

// nameRows makes the paths of rows, which are slices of one string: there may be
// millions.
func (s *arraySet) nameRows() {
	const prefix = "row "
	var all []byte
	for i := range s.items {
		all = strconv.AppendInt(append(all, prefix...), int64(i), 10)
	}
	rest, digits, next := string(all), 1, 10
	for i := range s.items {
		if i == next {
			digits, next = digits+1, next*10
		}
		s.items[i].Path, rest = rest[:len(prefix)+digits], rest[len(prefix)+digits:]
	}
}

// indexLine takes what a line says of row n. Columns that are not there say nothing.
func (s *arraySet) indexLine(n int, record []string, at map[string]int) error {
	field := func(name string) string {
		if i, ok := at[name]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	if row := field("row"); row != "" && row != strconv.Itoa(n) {
		return fmt.Errorf("the line is of row %q: lines are in the order of the rows", row)
	}
	for _, name := range []string{"path", "label", "group"} {
		if length := len(field(name)); length > maxField {
			return fmt.Errorf("the %s has %d bytes: %d are the limit", name, length, maxField)
		}
	}
	it := &s.items[n]
	it.Path, it.Group = cmp.Or(strings.Clone(field("path")), it.Path), strings.Clone(field("group"))
	if split := field("split"); split != "" && s.part == dataset.Unassigned {
		var ok bool
		if it.Part, ok = dataset.ParsePart(split); !ok {
			return fmt.Errorf("split %q is not train, val or test", split)
		}
	}
	if sum := field("sha256"); sum != "" {
		raw, err := hex.DecodeString(sum)
		if err != nil || len(raw) != len(it.Hash) {
			return fmt.Errorf("sha256 %q is not 64 hexadecimal digits", sum)
		}
		copy(it.Hash[:], raw)
	}
	name, label := field("label"), s.labels[n]
	known, seen := s.names[label]
	switch {
	case name == "":
		return nil
	case label < 0:
		return fmt.Errorf("class %q, but the label in %s is -1, for none", name, labelsFile)
	case seen && known != name:
		return fmt.Errorf("class %q, but other rows of label %d are of class %q", name, label, known)
	}
	if !seen {
		s.names[label] = strings.Clone(name)
	}
	return nil
}
