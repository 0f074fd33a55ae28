//go:build !noparquet

package predictions

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

func init() { formats[".parquet"] = newParquet }

// parquetRows writes Parquet, compressed with Snappy: texts are strings, probabilities are
// doubles, and what is empty is null. A last column, path_bytes, has the bytes of a path
// that is not UTF-8, as a string must be.
type parquetRows struct {
	out     *parquet.GenericWriter[any]
	columns []column
	batch   []parquet.Row
	filled  int
}

// batchRows is how many rows are handed over at a time: a million values, or 1024 rows.
func batchRows(columns int) int { return max(1, min(1<<10, 1<<20/columns)) }

// groupRows is how many rows a group has, which is in memory until it is written: eight
// million values, or 65,536 rows.
func groupRows(columns int) int { return max(1, min(1<<16, 1<<23/columns)) }

func newParquet(w io.Writer, l Layout) (encoder, error) {
	p := &parquetRows{columns: l.columns()}
	p.batch = make([]parquet.Row, batchRows(len(p.columns)))
	fields := orderedGroup{Group: parquet.Group{}}
	add := func(name string, node parquet.Node) {
		fields.Group[name] = parquet.Optional(node)
		fields.names = append(fields.names, name)
	}
	for _, c := range p.columns {
		switch {
		case c.text != nil:
			add(c.name, parquet.String())
		case c.flag != nil:
			add(c.name, parquet.Leaf(parquet.BooleanType))
		default:
			add(c.name, parquet.Leaf(parquet.DoubleType))
		}
	}
	add("path_bytes", parquet.Leaf(parquet.ByteArrayType))
	p.out = parquet.NewGenericWriter[any](w, parquet.NewSchema("predictions", fields), parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(int64(groupRows(len(fields.names)))))
	return p, nil
}

func (p *parquetRows) encode(r *Row) error {
	row := p.batch[p.filled][:0]
	add := func(v parquet.Value, there bool) {
		if there {
			row = append(row, v.Level(0, 1, len(row)))
		} else {
			row = append(row, parquet.NullValue().Level(0, 0, len(row)))
		}
	}
	for _, column := range p.columns {
		switch {
		case column.text != nil:
			s := column.text(r)
			add(parquet.ByteArrayValue([]byte(strings.ToValidUTF8(s, "\uFFFD"))), s != "")
		case r.Err != "":
			add(parquet.Value{}, false)
		case column.flag != nil:
			add(parquet.BooleanValue(column.flag(r)), true)
		default:
			add(parquet.DoubleValue(column.number(r)), true)
		}
	}
	add(parquet.ByteArrayValue([]byte(r.Path)), !utf8.ValidString(r.Path))
	p.batch[p.filled] = row
	if p.filled++; p.filled == len(p.batch) {
		return p.flush()
	}
	return nil
}

func (p *parquetRows) flush() error {
	_, err := p.out.WriteRows(p.batch[:p.filled])
	p.filled = 0
	return err
}

func (p *parquetRows) finish() error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.out.Close()
}

// orderedGroup is a group whose fields come as names lists them: those of a parquet.Group
// are sorted.
type orderedGroup struct {
	parquet.Group
	names []string
}

// Fields implements [parquet.Node].
func (g orderedGroup) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.names))
	for i, name := range g.names {
		fields[i] = byName[name]
	}
	return fields
}
