//go:build !noparquet

package parquetfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sort"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// pageInfo is what the header of a page says.
type pageInfo struct {
	first, rows int64 // within the group
	need        int64 // bytes that it takes while it is decoded
}

// walk reads the headers of the pages of a column in a group, and seeks over the pages.
func (f *File) walk(group, column int) ([]pageInfo, error) {
	m := &f.pf.Metadata().RowGroups[group].Columns[column].MetaData
	at := m.DataPageOffset
	if m.DictionaryPageOffset > 0 {
		at = m.DictionaryPageOffset
	}
	if at < 0 || m.TotalCompressedSize < 0 || at > f.size-m.TotalCompressedSize {
		return nil, fmt.Errorf("%w: a column ends behind the file", ErrFormat)
	}
	end := at + m.TotalCompressedSize
	var pages []pageInfo
	row, dictionary := int64(0), int64(0)
	for at < end {
		section := io.NewSectionReader(f.f, at, min(end-at, maxPageHeader))
		buffered := bufio.NewReaderSize(section, 4<<10)
		var h format.PageHeader
		if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(buffered)).Decode(&h); err != nil {
			return nil, fmt.Errorf("%w: the header of a page: %w", ErrFormat, noEOF(err))
		}
		pos, _ := section.Seek(0, io.SeekCurrent)
		at += pos - int64(buffered.Buffered())
		compressed, plain := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
		if compressed < 0 || plain < 0 || compressed > end-at {
			return nil, fmt.Errorf("%w: a page ends behind its column", ErrFormat)
		}
		at += compressed
		if m.Codec == format.Uncompressed {
			compressed = 0 // it is not copied
		}
		rows := int64(0)
		switch h.Type {
		case format.DictionaryPage:
			dictionary = plain + compressed
			continue
		case format.DataPage:
			rows = int64(h.DataPageHeader.V.NumValues)
		case format.DataPageV2:
			rows = int64(h.DataPageHeaderV2.V.NumRows)
		}
		if rows < 0 || rows > f.pf.Metadata().RowGroups[group].NumRows-row {
			return nil, fmt.Errorf("%w: a group has more rows than it says", ErrFormat)
		}
		pages = append(pages, pageInfo{row, rows, plain + compressed + dictionary + rows*valueBytes})
		row += rows
	}
	return pages, nil
}

// valueBytes is what a value takes in memory beside its bytes.
const valueBytes = 24

// maxPageHeader bounds the header of a page, which may hold a smallest and a largest value.
const maxPageHeader = 16 << 20

// Pages reads values of columns by their rows, and keeps the pages that were decoded last.
// Who reads rows in order decodes each page once. Many goroutines may use it.
type Pages struct {
	mu         sync.Mutex
	hold, held int64 // bytes that decoded pages may take, and do
	columns    []*openColumn
	pages      []*heldPage // the oldest first
	decoded    int         // pages, since the beginning
}

// mostOpen is how many columns are open at a time.
const mostOpen = 8

// NewPages returns pages that take up to hold bytes.
func NewPages(hold int64) *Pages { return &Pages{hold: hold} }

// openColumn is a column of a file that is read from front to back.
type openColumn struct {
	file, leaf string
	*File
	index  int
	group  int // that pages are of; -1 is none
	start  int64
	pages  parquet.Pages
	infos  []pageInfo
	next   int64 // row of the group that is read next
	starts []int64

	indexed bool // the file says where the pages of the group begin
}

// heldPage is a page in memory.
type heldPage struct {
	of     *openColumn
	first  int64 // row of the file
	need   int64
	stat   fs.FileInfo // of the file, as of before the page was read
	page   parquet.Page
	values []parquet.Value
}

// Size is how many bytes a row has in a leaf of the file at path. The errors are an
// [ErrMemory] of a page that is too large, an [ErrNull], an [ErrFormat] and those of the file
// system.
func (p *Pages) Size(path, leaf string, row int64) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	value, _, err := p.value(path, leaf, row)
	return int64(len(value)), err
}

// Copy copies a row to dst, which has its size, and returns what the file was before the row
// was read. The errors are those of Size.
func (p *Pages) Copy(dst []byte, path, leaf string, row int64) (fs.FileInfo, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	value, h, err := p.value(path, leaf, row)
	if err != nil {
		return nil, err
	}
	if len(value) != len(dst) {
		return nil, fmt.Errorf("%w: the row has changed", ErrFormat)
	}
	copy(dst, value)
	return h.stat, nil
}

// Close closes the files.
func (p *Pages) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for len(p.columns) > 0 {
		errs = append(errs, p.closeColumn(0))
	}
	return errors.Join(errs...)
}

// value finds a row, which lies in a page that is held.
func (p *Pages) value(path, leaf string, row int64) (value []byte, h *heldPage, err error) {
	err = Guarded(func() error {
		c, err := p.column(path, leaf)
		if err != nil {
			return err
		}
		if h, err = p.page(c, row); err != nil {
			return err
		}
		v := h.values[row-h.first]
		if v.IsNull() {
			return ErrNull
		}
		value = v.ByteArray()
		return nil
	})
	return value, h, err
}

// column opens a column, unless it is open.
func (p *Pages) column(path, leaf string) (*openColumn, error) {
	if i := slices.IndexFunc(p.columns, func(c *openColumn) bool { return c.file == path && c.leaf == leaf }); i >= 0 {
		return p.columns[i], nil
	}
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	found := f.leaf(leaf)
	if found == nil || found.Type().Kind() != parquet.ByteArray || found.MaxRepetitionLevel() > 0 {
		f.Close()
		return nil, fmt.Errorf("%w: it has no column %q of bytes", ErrFormat, leaf)
	}
	c := &openColumn{file: path, leaf: leaf, File: f, index: found.Index(), group: -1}
	start := int64(0)
	for _, g := range f.pf.RowGroups() {
		c.starts = append(c.starts, start)
		start += g.NumRows()
	}
	if len(p.columns) >= mostOpen {
		if err := p.closeColumn(0); err != nil {
			f.Close()
			return nil, err
		}
	}
	p.columns = append(p.columns, c)
	return c, nil
}

// closeColumn lets go of a column and its pages.
func (p *Pages) closeColumn(i int) error {
	c := p.columns[i]
	p.columns = slices.Delete(p.columns, i, i+1)
	for n := 0; n < len(p.pages); {
		if p.pages[n].of == c {
			p.drop(n)
		} else {
			n++
		}
	}
	if c.pages != nil {
		c.pages.Close()
	}
	return c.File.Close()
}

func (p *Pages) drop(n int) {
	h := p.pages[n]
	p.held -= h.need
	parquet.Release(h.page)
	p.pages = slices.Delete(p.pages, n, n+1)
}

// page returns the page that a row lies in.
func (p *Pages) page(c *openColumn, row int64) (*heldPage, error) {
	for _, h := range slices.Backward(p.pages) {
		if h.of == c && row >= h.first && row < h.first+int64(len(h.values)) {
			return h, nil
		}
	}
	if row < 0 || row >= c.Rows() {
		return nil, fmt.Errorf("%w: there is no row %d", ErrFormat, row)
	}
	if err := c.seek(row); err != nil {
		return nil, err
	}
	for {
		h, err := p.read(c)
		if err != nil {
			return nil, err
		}
		if row < h.first+int64(len(h.values)) {
			return h, nil
		}
	}
}

// seek gets a column ready to read a row, or one before it.
func (c *openColumn) seek(row int64) error {
	group := sort.Search(len(c.starts), func(i int) bool { return c.starts[i] > row }) - 1
	if group != c.group {
		if c.pages != nil {
			c.pages.Close()
			c.pages, c.group = nil, -1
		}
		infos, err := c.walk(group, c.index)
		if err != nil {
			return err
		}
		c.infos, c.start, c.next, c.group = infos, c.starts[group], 0, group
		chunk := c.pf.RowGroups()[group].ColumnChunks()[c.index]
		_, err = chunk.OffsetIndex()
		c.pages, c.indexed = chunk.Pages(), err == nil
	}
	inGroup := row - c.start
	if inGroup >= c.next && (!c.indexed || inGroup < c.next+c.pageRows(c.next)) {
		return nil // it is in a page that comes next, and none can be left out
	}
	// To the beginning of the page, so that rows before this one are there for others.
	i := c.pageOf(inGroup)
	if i < 0 {
		return fmt.Errorf("%w: no page holds row %d", ErrFormat, row)
	}
	c.next = c.infos[i].first
	return c.pages.SeekToRow(c.next)
}

// pageOf is the index of the page that holds a row of the group; -1 is none.
func (c *openColumn) pageOf(row int64) int {
	return sort.Search(len(c.infos), func(i int) bool { return c.infos[i].first > row }) - 1
}

// pageRows is how many rows there are from one to the end of its page.
func (c *openColumn) pageRows(row int64) int64 {
	if i := c.pageOf(row); i >= 0 {
		return c.infos[i].first + c.infos[i].rows - row
	}
	return 0
}

// read decodes the page that comes next.
func (p *Pages) read(c *openColumn) (*heldPage, error) {
	i := c.pageOf(c.next)
	if i < 0 {
		return nil, fmt.Errorf("%w: a group without pages", ErrFormat)
	}
	h := &heldPage{of: c, first: c.start + c.next, need: c.infos[i].need}
	if h.need > p.hold {
		return nil, fmt.Errorf("%w: %d bytes, and there are %d: smaller groups of rows would take less", ErrMemory, h.need, p.hold)
	}
	for len(p.pages) > 0 && p.held+h.need > p.hold {
		p.drop(0)
	}
	var err error
	if h.stat, err = c.f.Stat(); err != nil {
		return nil, err
	}
	if h.page, err = c.pages.ReadPage(); err != nil {
		return nil, noEOF(err)
	}
	p.decoded++
	if h.values, err = valuesOf(h.page); err != nil {
		parquet.Release(h.page)
		return nil, err
	}
	if len(h.values) == 0 {
		parquet.Release(h.page)
		return nil, fmt.Errorf("%w: a page without rows", ErrFormat)
	}
	c.next += int64(len(h.values))
	p.held += h.need
	p.pages = append(p.pages, h)
	return h, nil
}

// valuesOf are the values of a page. They lie in the page's memory; those of a dictionary,
// which may go away before the page does, are copied.
func valuesOf(page parquet.Page) ([]parquet.Value, error) {
	values := make([]parquet.Value, page.NumValues())
	r := page.Values()
	for n := 0; n < len(values); {
		k, err := r.ReadValues(values[n:])
		n += k
		if err != nil && n < len(values) || k == 0 {
			return nil, fmt.Errorf("%w: a page of %d values ends after %d", ErrFormat, len(values), n)
		}
	}
	if page.Dictionary() != nil {
		for i := range values {
			values[i] = values[i].Clone()
		}
	}
	return values, nil
}
