//go:build noparquet

package shards

import (
	"errors"
	"io"
	"iter"
)

var errNoParquet = errors.New("this icebox was built without Parquet, which parts are written in")

// Part is a part that is open for reading: here, none ever is.
type Part struct {
	path string
	head partHead
}

func writePart(io.Writer, partHead, iter.Seq2[Row, error]) error { return errNoParquet }

func openPart(string, stored) (*Part, error) { return nil, errNoParquet }

// Close does nothing.
func (p *Part) Close() error { return nil }

func (p *Part) rows() int { return 0 }

func (p *Part) read() iter.Seq2[Row, error] { return func(func(Row, error) bool) {} }
