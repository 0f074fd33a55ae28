package predictions

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"icebox/headtrain"
)

// FuzzRows writes rows of any names and reads them as other programs do: each field comes
// back, and no name makes a row of its own.
func FuzzRows(f *testing.F) {
	f.Add("a.jpg", "cat", "dog", "", float32(1), float32(0.5))
	for _, name := range oddNames {
		f.Add(name, name, "x", "why", float32(-3), float32(1e30))
	}
	f.Fuzz(func(t *testing.T, path, first, second, reason string, a, b float32) {
		h := &headtrain.Head{Classes: []string{first, second}, Dim: 1, W: []float32{1, -1}, B: []float32{0, 0}, Threshold: 0.6}
		if a-a != 0 || b-b != 0 {
			return // no head gives such
		}
		answered := Row{Path: path, Part: "test", Truth: second}
		answered.Answer(h, []float32{a, b})
		bad := Row{Path: path, Part: "val", Truth: first}
		bad.Fail("bad: " + reason)
		layout := Layout{Classes: h.Classes, Judged: true}
		var asCSV, asLines bytes.Buffer
		for _, encoder := range []struct {
			to   io.Writer
			make func(io.Writer, Layout) (encoder, error)
		}{{&asCSV, newCSV}, {&asLines, newJSONL}} {
			e, err := encoder.make(encoder.to, layout)
			must(t, err)
			must(t, e.encode(&answered))
			must(t, e.encode(&bad))
			must(t, e.finish())
		}
		checkCSV(t, asCSV.Bytes(), answered, bad)
		checkLines(t, asLines.Bytes(), answered, bad)
	})
}

func checkCSV(t *testing.T, text []byte, answered, bad Row) {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	must(t, err)
	if len(lines) != 3 {
		t.Fatalf("%d lines: %q", len(lines), text)
	}
	read := strings.NewReplacer("\r\n", "\n") // as Go's reader takes a line break in a field
	for i, want := range [][]string{{answered.Path, answered.Part, answered.Truth, answered.Label}, {bad.Path, bad.Part, bad.Truth, ""}} {
		for c, field := range want {
			if got := lines[i+1][c]; got != read.Replace(field) {
				t.Fatalf("%q became %q", field, got)
			}
		}
	}
	if got := lines[2][len(lines[2])-1]; got != read.Replace(bad.Err) {
		t.Fatalf("%q became %q", bad.Err, got)
	}
}

func checkLines(t *testing.T, text []byte, rows ...Row) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(lines) != len(rows) {
		t.Fatalf("%d lines: %q", len(lines), text)
	}
	for i, want := range rows {
		var got map[string]any
		must(t, json.Unmarshal(lines[i], &got))
		for name, field := range map[string]string{"path": want.Path, "truth": want.Truth, "label": want.Label, "error": want.Err} {
			back, _ := got[name].(string)
			if raw, ok := got[name+"_bytes"].(string); ok {
				b, err := base64.StdEncoding.DecodeString(raw)
				must(t, err)
				back = string(b)
			}
			if back != field && (name == "path" || utf8.ValidString(field)) {
				t.Fatalf("%s %q became %q", name, field, back)
			}
		}
	}
}
