//go:build !noparquet

// Package parquettest writes parquet files for tests.
package parquettest

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// Row is a row with an image, as Hugging Face's datasets writes it.
type Row struct {
	Image *Image `parquet:"image,optional"`
	Label *int64 `parquet:"label,optional"`
	Name  string `parquet:"name"`
	Set   string `parquet:"set"`
}

// Image is an encoded image, and what its file was called.
type Image struct {
	Bytes []byte  `parquet:"bytes,optional"`
	Path  *string `parquet:"path,optional"`
}

// Options are how a file is written.
type Options struct {
	Group      int64  // rows of a group; 0 is one group
	Page       int    // bytes of a page; 0 is the writer's choice
	Dictionary bool   // images of one content are stored once
	Meta       string // of Hugging Face
	Codec      compress.Codec
}

// Bytes is a file of rows.
func Bytes[T any](t testing.TB, o Options, rows []T) []byte {
	t.Helper()
	var out bytes.Buffer
	var options []parquet.WriterOption
	if o.Group > 0 {
		options = append(options, parquet.MaxRowsPerRowGroup(o.Group))
	}
	if o.Page > 0 {
		options = append(options, parquet.PageBufferSize(o.Page))
	}
	if o.Meta != "" {
		options = append(options, parquet.KeyValueMetadata("huggingface", o.Meta))
	}
	if o.Codec != nil {
		options = append(options, parquet.Compression(o.Codec))
	}
	if o.Dictionary {
		options = append(options, parquet.DefaultEncoding(&parquet.RLEDictionary))
	}
	w := parquet.NewGenericWriter[T](&out, options...)
	for i := range rows { // one by one, so that pages are as small as they are asked for
		if _, err := w.Write(rows[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
