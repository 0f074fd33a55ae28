//go:build !noparquet

package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// File is an open parquet file.
type File struct {
	f    *os.File
	size int64
	pf   *parquet.File
}

// Open opens the file at path and reads what it says of itself. An error that is no
// [ErrFormat] is the file system's.
func Open(path string) (_ *File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil {
		err = CheckFooter(f, fi.Size())
	}
	var pf *parquet.File
	if err == nil {
		err = Guarded(func() error {
			pf, err = parquet.OpenFile(f, fi.Size(), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
			return err
		})
	}
	if err == nil && pf.NumRows() > fi.Size() {
		err = fmt.Errorf("%w: %d rows in %d bytes", ErrFormat, pf.NumRows(), fi.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{f, fi.Size(), pf}, nil
}

// Guarded runs work, and turns errors and panics of the parquet module into an [ErrFormat].
func Guarded(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrFormat, p)
		}
	}()
	err = work()
	var file *os.PathError
	if err == nil || errors.As(err, &file) || errors.Is(err, ErrFormat) || errors.Is(err, ErrMemory) || errors.Is(err, ErrNull) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

// CheckFooter refuses what does not end as a parquet file does: the module takes as much
// memory for the footer as its last bytes say.
func CheckFooter(r io.ReaderAt, size int64) error {
	const least, tail = 12, 8
	if size < least {
		return fmt.Errorf("%w: it has %d bytes", ErrFormat, size)
	}
	var end [tail]byte
	if _, err := r.ReadAt(end[:], size-tail); err != nil {
		return err
	}
	if string(end[4:]) != "PAR1" {
		return fmt.Errorf("%w: it does not end as one: it is something else, or has been cut off", ErrFormat)
	}
	if n := int64(binary.LittleEndian.Uint32(end[:])); n > size-least {
		return fmt.Errorf("%w: its footer has %d bytes, and the file %d", ErrFormat, n, size)
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// Rows is how many rows the file has.
func (f *File) Rows() int64 { return f.pf.NumRows() }

// Metadata is a text that the writer has put into the file; "" if there is none of that key.
func (f *File) Metadata(key string) string {
	text, _ := f.pf.Lookup(key)
	return text
}

// Columns lists the columns at the top of the schema.
func (f *File) Columns() []Column {
	var all []Column
	for _, c := range f.pf.Root().Columns() {
		all = append(all, columnOf(c))
	}
	return all
}

func columnOf(c *parquet.Column) Column {
	col := Column{Name: c.Name()}
	switch {
	case c.Leaf():
		if c.MaxRepetitionLevel() > 0 {
			return col
		}
		if isBinary(c) {
			col.Kind, col.Bytes = Binary, c.Name()
		} else {
			col.Kind, col.Text = Text, c.Name()
		}
	default:
		bytes, path := c.Column("bytes"), c.Column("path")
		if bytes == nil || !bytes.Leaf() || bytes.MaxRepetitionLevel() > 0 || bytes.Type().Kind() != parquet.ByteArray {
			return col
		}
		col.Kind, col.Bytes = Image, leafName(bytes)
		if path != nil && path.Leaf() && path.MaxRepetitionLevel() == 0 {
			col.Text = leafName(path)
		}
	}
	return col
}

// isBinary reports whether a leaf holds bytes that nobody says are a text or a number.
func isBinary(c *parquet.Column) bool {
	return c.Type().Kind() == parquet.ByteArray && c.Type().LogicalType() == nil
}

func leafName(c *parquet.Column) string { return strings.Join(c.Path(), ".") }

// leaf finds a leaf by its name; nil if there is none.
func (f *File) leaf(name string) *parquet.Column {
	for _, c := range f.pf.Root().Columns() {
		if c.Leaf() && leafName(c) == name {
			return c
		}
		for _, inner := range c.Columns() {
			if inner.Leaf() && leafName(inner) == name {
				return inner
			}
		}
	}
	return nil
}

// GroupSize is what a leaf takes in a group of rows.
type GroupSize struct{ Rows, Bytes int64 }

// Sizes are those of a leaf, group by group. None reports whether the file says that every
// value of it is missing.
func (f *File) Sizes(leaf string) (sizes []GroupSize, none bool) {
	c := f.leaf(leaf)
	if c == nil {
		return nil, true
	}
	none = true
	for i := range f.pf.Metadata().RowGroups {
		g := &f.pf.Metadata().RowGroups[i]
		if c.Index() >= len(g.Columns) {
			return nil, true
		}
		m := &g.Columns[c.Index()].MetaData
		sizes = append(sizes, GroupSize{g.NumRows, max(m.TotalUncompressedSize, 0)})
		none = none && m.NumValues > 0 && m.Statistics.NullCount >= m.NumValues
	}
	return sizes, none && len(sizes) > 0
}

// maxTextPage bounds a page of a column of texts, in bytes.
const maxTextPage = 256 << 20

// Texts yields the values of leaves as texts, row by row; "" is a missing one. The slice is
// used again for the next row. After an error there is no more.
func (f *File) Texts(leaves []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for g := range f.pf.RowGroups() {
			if !f.groupTexts(g, leaves, yield) {
				return
			}
		}
	}
}

// groupTexts yields the rows of one group, and reports whether there is to be more.
func (f *File) groupTexts(g int, leaves []string, yield func([]string, error) bool) bool {
	var columns []*textColumn
	defer func() {
		for _, c := range columns {
			c.close()
		}
	}()
	rows := f.pf.RowGroups()[g].NumRows()
	err := Guarded(func() error {
		for _, name := range leaves {
			c, err := f.openTexts(g, name)
			if err != nil {
				return err
			}
			columns = append(columns, c)
		}
		return nil
	})
	row := make([]string, len(leaves))
	for n := int64(0); err == nil && n < rows; n++ {
		err = Guarded(func() (err error) {
			for i, c := range columns {
				if row[i], err = c.next(); err != nil {
					return fmt.Errorf("row %d of column %q: %w", n, leaves[i], err)
				}
			}
			return nil
		})
		if err == nil && !yield(row, nil) {
			return false
		}
	}
	if err != nil {
		yield(nil, err)
	}
	return err == nil
}

// openTexts opens a leaf in a group.
func (f *File) openTexts(g int, name string) (*textColumn, error) {
	c := f.leaf(name)
	if c == nil {
		return nil, fmt.Errorf("%w: there is no column %q", ErrFormat, name)
	}
	if err := f.checkPages(g, c.Index(), maxTextPage); err != nil {
		return nil, err
	}
	return &textColumn{pages: f.pf.RowGroups()[g].ColumnChunks()[c.Index()].Pages()}, nil
}

// checkPages refuses a column of a group of which a page would take more than most bytes.
func (f *File) checkPages(group, column int, most int64) error {
	pages, err := f.walk(group, column)
	if err != nil {
		return err
	}
	for _, p := range pages {
		if p.need > most {
			return fmt.Errorf("%w: %d bytes, %d are the limit", ErrMemory, p.need, most)
		}
	}
	return nil
}

// textColumn reads a column of texts.
type textColumn struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    [256]parquet.Value
	have   []parquet.Value
}

func (c *textColumn) next() (string, error) {
	for len(c.have) == 0 {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return "", noEOF(err)
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(c.buf[:])
		if c.have = c.buf[:n]; err != nil || n == 0 {
			if err != nil && !errors.Is(err, io.EOF) {
				return "", err
			}
			if n == 0 {
				parquet.Release(c.page)
				c.page, c.values = nil, nil
			}
		}
	}
	v := c.have[0]
	c.have = c.have[1:]
	return textOf(v), nil
}

func (c *textColumn) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	c.pages.Close()
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// textOf writes a value as a text of its own.
func textOf(v parquet.Value) string {
	switch {
	case v.IsNull():
		return ""
	case v.Kind() == parquet.Boolean:
		return strconv.FormatBool(v.Boolean())
	case v.Kind() == parquet.Int32, v.Kind() == parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10)
	case v.Kind() == parquet.Float:
		return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32)
	case v.Kind() == parquet.Double:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64)
	}
	return string(v.ByteArray())
}
