package predictions

import (
	"encoding/csv"
	"io"
	"strconv"
)

// csvRows writes CSV with a header line. Texts are quoted where they must be, and keep
// their bytes.
type csvRows struct {
	out     *csv.Writer
	columns []column
	line    []string
}

func newCSV(w io.Writer, l Layout) (encoder, error) {
	c := &csvRows{out: csv.NewWriter(w), columns: l.columns()}
	for _, column := range c.columns {
		c.line = append(c.line, column.name)
	}
	return c, c.out.Write(c.line)
}

func (c *csvRows) encode(r *Row) error {
	for i, column := range c.columns {
		switch {
		case column.text != nil:
			c.line[i] = column.text(r)
		case r.Err != "":
			c.line[i] = ""
		case column.flag != nil:
			c.line[i] = strconv.FormatBool(column.flag(r))
		default:
			c.line[i] = strconv.FormatFloat(column.number(r), 'g', digits, 64)
		}
	}
	return c.out.Write(c.line)
}

// digits of a probability in a text are more than a float32 needs.
const digits = 8

func (c *csvRows) finish() error {
	c.out.Flush()
	return c.out.Error()
}
