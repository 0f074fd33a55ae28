//go:build noparquet

package parquetfile

import (
	"io/fs"
	"iter"
)

// File is a parquet file, of which this program reads none.
type File struct{}

// Open returns an [ErrLeftOut].
func Open(string) (*File, error) { return nil, ErrLeftOut }

// Close does nothing.
func (f *File) Close() error { return nil }

// Columns are none.
func (f *File) Columns() []Column { return nil }

// Rows are none.
func (f *File) Rows() int64 { return 0 }

// Metadata is none.
func (f *File) Metadata(string) string { return "" }

// Sizes are none.
func (f *File) Sizes(string) (sizes []GroupSize, none bool) { return nil, true }

// Texts yields none.
func (f *File) Texts([]string) iter.Seq2[[]string, error] { return func(func([]string, error) bool) {} }

// GroupSize is the size of a group of rows.
type GroupSize struct{ Rows, Bytes int64 }

// Pages reads none.
type Pages struct{}

// NewPages returns pages of which none can be read.
func NewPages(int64) *Pages { return &Pages{} }

// Size returns an [ErrLeftOut].
func (p *Pages) Size(string, string, int64) (int64, error) { return 0, ErrLeftOut }

// Copy returns an [ErrLeftOut].
func (p *Pages) Copy([]byte, string, string, int64) (fs.FileInfo, error) { return nil, ErrLeftOut }

// Close does nothing.
func (p *Pages) Close() error { return nil }
