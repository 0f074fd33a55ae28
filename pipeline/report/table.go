package report

import (
	"fmt"
	"io"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Width is how many columns a table takes at most, where it has paths to shorten.
const Width = 80

// leastPath is how much is left of a path that is shortened.
const leastPath = 16

// Table is a table in the look that all share.
type Table struct {
	table.Writer
	paths  []int // columns, from 1, that hold paths
	widths []int // of each column
}

// NewTable begins a table, which Render writes to w. Columns that hold paths, numbered
// from 1, are shortened from the left where the table exceeds [Width].
func NewTable(w io.Writer, paths ...int) *Table {
	t := &Table{Writer: table.NewWriter(), paths: paths}
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = 0
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
}

// AppendHeader adds the names of the columns.
func (t *Table) AppendHeader(row table.Row, configs ...table.RowConfig) {
	t.measure(row)
	t.Writer.AppendHeader(row, configs...)
}

// AppendRow adds a line.
func (t *Table) AppendRow(row table.Row, configs ...table.RowConfig) {
	t.measure(row)
	t.Writer.AppendRow(row, configs...)
}

func (t *Table) measure(row table.Row) {
	for i, cell := range row {
		if i == len(t.widths) {
			t.widths = append(t.widths, 0)
		}
		t.widths[i] = max(t.widths[i], text.StringWidth(fmt.Sprint(cell)))
	}
}

// Render writes the table.
func (t *Table) Render() string {
	most := t.longestPath()
	var columns []table.ColumnConfig
	for _, n := range t.paths {
		columns = append(columns, table.ColumnConfig{Number: n, WidthMax: most, WidthMaxEnforcer: ShortPath})
	}
	t.SetColumnConfigs(columns)
	return t.Writer.Render()
}

// longestPath is how long a path may be for the table to fit.
func (t *Table) longestPath() int {
	room := Width + 1 // the last column's space on the right is not written
	var paths []int
	for i, width := range t.widths {
		room -= 2 // a space on either side
		if slices.Contains(t.paths, i+1) {
			paths = append(paths, width)
		} else {
			room -= width
		}
	}
	slices.Sort(paths)
	for i, width := range paths { // the shorter ones leave room to the longer ones
		if most := room / (len(paths) - i); width > most {
			return max(most, leastPath)
		}
		room -= width
	}
	return Width
}

// ShortPath shortens a path from the left to at most width characters.
func ShortPath(path string, width int) string {
	runes := []rune(path)
	if len(runes) <= width {
		return path
	}
	runes = runes[len(runes)-width+1:]
	if i := slices.Index(runes, '/'); i > 0 && i < len(runes)/2 {
		runes = runes[i:] // begin with the name of a folder
	}
	return "…" + string(runes)
}
