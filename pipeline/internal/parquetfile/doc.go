// Package parquetfile reads columns of parquet files: texts and numbers from front to back,
// and the bytes of images by their rows. Files are not trusted: sizes are checked before
// memory is taken, and what makes the parquet module panic is an error.
//
// The build tag noparquet leaves it out; then [Open] returns an [ErrLeftOut].
package parquetfile

import "errors"

var (
	// ErrFormat is returned for a file that is no parquet file, or is damaged.
	ErrFormat = errors.New("no sound parquet file")
	// ErrLeftOut is returned where the program is built without parquet.
	ErrLeftOut = errors.New("this program is built without parquet")
	// ErrMemory is returned for a page that takes more memory than there is for it.
	ErrMemory = errors.New("a page of the parquet file takes more memory than there is")
	// ErrNull is returned for a row that has no bytes.
	ErrNull = errors.New("the row holds no image")
)

// Kind is what a column holds.
type Kind uint8

// The kinds of columns.
const (
	Nested Kind = iota // lists, maps and other structures
	Text               // texts, numbers, and what can be written as such
	Binary             // bytes
	Image              // a structure of bytes and a path, as Hugging Face has it
)

// Column is a column at the top of a file's schema.
type Column struct {
	Name  string
	Kind  Kind
	Bytes string // name of the leaf with bytes, of a Binary and an Image
	Text  string // name of the leaf with a text: the column itself, or an Image's path; "" is none
}
