package predictions

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"
)

// jsonlRows writes a JSON object a line, its keys in the order of the columns. A path that
// is not UTF-8, for which JSON has no way to write its bytes, has them in path_bytes too,
// in base64.
type jsonlRows struct {
	out     io.Writer
	columns []column
	keys    []string // of the columns, from the comma or the brace to the colon
	line    []byte
}

func newJSONL(w io.Writer, l Layout) (encoder, error) {
	j := &jsonlRows{out: w, columns: l.columns()}
	before := "{"
	for _, c := range j.columns {
		j.keys = append(j.keys, string(append(appendText([]byte(before), c.name), ':')))
		before = ","
	}
	return j, nil
}

func (j *jsonlRows) encode(r *Row) error {
	b := j.line[:0]
	for i, column := range j.columns {
		b = append(b, j.keys[i]...)
		switch {
		case column.text != nil && column.text(r) != "":
			b = appendText(b, column.text(r))
		case column.text != nil || r.Err != "":
			b = append(b, "null"...)
		case column.flag != nil:
			b = strconv.AppendBool(b, column.flag(r))
		default:
			b = strconv.AppendFloat(b, column.number(r), 'g', digits, 64)
		}
	}
	if !utf8.ValidString(r.Path) {
		b = append(b, `,"path_bytes":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, []byte(r.Path)), '"')
	}
	j.line = append(b, "}\n"...)
	_, err := j.out.Write(j.line)
	return err
}

func (j *jsonlRows) finish() error { return nil }

// appendText appends s as a JSON string.
func appendText(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string has no error
	return append(b, quoted...)
}
