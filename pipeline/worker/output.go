package worker

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrFormat is returned for a format that rows are not written in.
var ErrFormat = errors.New("not a format of rows")

// JSONL is the format of JSON lines: {"path", "sha256", "feature"}, or {"path", "error"}.
const JSONL = "jsonl"

// outputs make an output of a format.
var outputs = map[string]func(io.Writer) Output{JSONL: func(w io.Writer) Output { return &jsonLines{bufio.NewWriterSize(w, 1<<16)} }}

// Formats lists the formats.
func Formats() []string {
	var names []string
	for name := range outputs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// NewOutput returns an output of a format; an [ErrFormat] if there is none.
func NewOutput(format string, w io.Writer) (Output, error) {
	open, ok := outputs[format]
	if !ok {
		return nil, fmt.Errorf("%w: %q; there are %v", ErrFormat, format, Formats())
	}
	return open(w), nil
}

type jsonLines struct{ w *bufio.Writer }

// jsonRow is a line. A field, once published, keeps its meaning.
type jsonRow struct {
	Path    string    `json:"path"`
	SHA256  string    `json:"sha256,omitempty"`
	Feature []float32 `json:"feature,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// Write writes whole lines, at once: whoever waits for them gets them.
func (j *jsonLines) Write(rows []Row) error {
	e := json.NewEncoder(j.w)
	e.SetEscapeHTML(false)
	for _, r := range rows {
		line := jsonRow{Path: r.Name, Feature: r.Feature}
		if r.SHA256 != ([32]byte{}) {
			line.SHA256 = hex.EncodeToString(r.SHA256[:])
		}
		if r.Err != nil {
			line.Error = r.Err.Error()
		}
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return j.w.Flush()
}

func (j *jsonLines) Close() error { return j.w.Flush() }
