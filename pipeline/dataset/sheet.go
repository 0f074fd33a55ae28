package dataset

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"icebox/extract/format"
)

// ErrEncoding is returned for a table that is not text in UTF-8, or in UTF-16 with a mark.
var ErrEncoding = fmt.Errorf("%w: not UTF-8", ErrData)

// tableEndings are the endings of files that may be tables.
var tableEndings = []string{".csv", ".tsv", ".txt", ".jsonl", ".ndjson"}

// sheet is a table as it stands in a file.
type sheet struct {
	file   string
	header []string
	rows   iter.Seq2[sheetRow, error] // errors name the line
}

type sheetRow struct {
	line   int
	fields []string // as many as the header has
}

// delimiters are what stands between the columns of tables, the usual one first.
var delimiters = []rune{',', ';', '\t', '|'}

// openSheet reads a table. The delimiter is the one by which the header makes sense: it
// names a column of paths, or else most columns.
func openSheet(file string, c Columns) (sheet, error) {
	if archiveKind(file) == Parquet {
		return parquetSheet(file)
	}
	text, err := readText(file)
	if err != nil {
		return sheet{}, err
	}
	if e := format.Ending(file); e == ".jsonl" || e == ".ndjson" {
		return jsonSheet(file, text)
	}
	text, delimiter, lines := cutSep(text)
	candidates := delimiters
	if delimiter != 0 {
		candidates = []rune{delimiter}
	}
	best := sheet{file: file}
	var unread error
	for _, d := range candidates {
		header, err := newCSV(text, d).Read()
		if err != nil {
			unread = cmp.Or(unread, err)
			continue
		}
		_, fault := findColumns(header, c)
		_, bestFault := findColumns(best.header, c)
		if best.header == nil || (fault == nil) == (bestFault == nil) && len(header) > len(best.header) || fault == nil && bestFault != nil {
			best.header, best.rows = header, csvRows(file, text, d, lines)
		}
	}
	if best.header == nil {
		return best, fmt.Errorf("%w: %s: no header line (path,label[,split,group]): %w", ErrData, file, unread)
	}
	return best, nil
}

// cutSep takes the line off that Excel reads the delimiter from, such as "sep=;". It
// returns 0 and no line where there is none.
func cutSep(text []byte) (rest []byte, delimiter rune, lines int) {
	first, after, _ := bytes.Cut(text, []byte("\n"))
	name, value, ok := strings.Cut(strings.TrimRight(string(first), "\r"), "=")
	d, n := utf8.DecodeRuneInString(value)
	if !ok || !strings.EqualFold(name, "sep") || n == 0 || n != len(value) {
		return text, 0, 0
	}
	return after, d, 1
}

func newCSV(text []byte, delimiter rune) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = delimiter
	r.LazyQuotes = delimiter == '\t' // programs that write tabs write no quotes
	return r
}

// csvRows are the rows below the header; cut lines were taken off before it.
func csvRows(file string, text []byte, delimiter rune, cut int) iter.Seq2[sheetRow, error] {
	return func(yield func(sheetRow, error) bool) {
		r := newCSV(text, delimiter)
		for first := true; ; first = false {
			fields, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(sheetRow{}, fmt.Errorf("%w: %s: %w", ErrData, file, err))
				return
			}
			line, _ := r.FieldPos(0)
			if !first && !yield(sheetRow{line + cut, fields}, nil) {
				return
			}
		}
	}
}

// jsonSheet reads a JSON object a line; the names in any of them are the header.
func jsonSheet(file string, text []byte) (sheet, error) {
	var objects []map[string]any
	var lines []int
	names := map[string]bool{}
	n := 0
	for line := range bytes.Lines(text) {
		if n++; len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var object map[string]any
		if err := d.Decode(&object); err != nil {
			return sheet{}, fmt.Errorf("%w: %s:%d: not a JSON object: %w", ErrData, file, n, err)
		}
		for name := range object {
			names[name] = true
		}
		objects, lines = append(objects, object), append(lines, n)
	}
	s := sheet{file: file, header: slices.Sorted(maps.Keys(names))}
	s.rows = func(yield func(sheetRow, error) bool) {
		for i, object := range objects {
			row := sheetRow{lines[i], make([]string, len(s.header))}
			for k, name := range s.header {
				row.fields[k] = jsonText(object[name])
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	return s, nil
}

// jsonText is a value as a cell of a table: a text as it is, null as nothing.
func jsonText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, _ := json.Marshal(v) // it came from JSON
	return string(text)
}

// readText reads a file of text as UTF-8 without a mark.
func readText(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	switch {
	case bytes.HasPrefix(data, []byte("\ufeff")):
		data = data[len("\ufeff"):]
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		data, err = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(data)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: its mark says UTF-16: %w", ErrEncoding, file, err)
		}
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		return nil, fmt.Errorf("%w: %s is a workbook or an archive, not text: save the sheet as CSV", ErrEncoding, file)
	}
	return data, checkText(file, data)
}

// checkText names the first byte that is not UTF-8.
func checkText(file string, text []byte) error {
	if zero := bytes.IndexByte(text, 0); zero >= 0 {
		return fmt.Errorf("%w: %s:%d: a zero byte: the file is UTF-16 without a mark, or no text; save it as UTF-8", ErrEncoding, file, 1+bytes.Count(text[:zero], []byte("\n")))
	}
	if utf8.Valid(text) {
		return nil
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		for at := 0; at < len(line); {
			r, size := utf8.DecodeRune(line[at:])
			if r == utf8.RuneError && size == 1 {
				return fmt.Errorf("%w: %s:%d: byte %d of the line is 0x%02X: the file may be in Latin-1 or Windows-1252; save it as UTF-8", ErrEncoding, file, n, at+1, line[at])
			}
			at += size
		}
	}
	return nil
}
