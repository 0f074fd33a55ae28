package report

import (
	"encoding/csv"
	"errors"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"
)

// NewTable is the one look that all tables share. Its Render writes it to w.
func NewTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = 0
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
}

// WriteCSV writes lines, the header first, to the file at path.
func WriteCSV(path string, lines [][]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(f).WriteAll(lines), f.Close())
}
