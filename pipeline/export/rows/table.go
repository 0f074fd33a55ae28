package rows

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"icebox/pipeline/internal/csvfile"
	"icebox/pipeline/words"
)

// ErrFormat is returned for a format that is not known.
var ErrFormat = errors.New("format of features not known")

// Table is features and what is known of their images, in the order of the dataset.
type Table struct {
	Name    string // of the dataset
	Dim     int    // of a feature
	Classes []string
	Rows    []Row
	// Blocks yields the features, some rows at a time. A block is valid until the next.
	Blocks iter.Seq2[[]float32, error]
	// Picture returns the small picture of a row, as JPEG; nil where there is none. It is nil
	// where there are none at all.
	Picture func(row int) []byte
}

// Row is what is known of an image.
type Row struct {
	Path   string // any bytes
	Class  string // "" where it has none
	Label  int    // of the class; -1 for none
	Split  string // train, val, test or none
	SHA256 [32]byte
}

// File is a file of an export.
type File struct {
	Name  string
	Write func(*bufio.Writer) error
}

// formats make the files of each format.
var formats = map[string]func(*Table) []File{
	NPY: npyFiles, "npz": npzFiles, "safetensors": safetensorsFiles, "csv": csvFiles, "projector": projectorFiles,
}

// NPY is the format that icebox itself reads.
const NPY = "npy"

// Formats are all formats that this program writes.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Check returns an [ErrFormat] for a format that is none of [Formats].
func Check(format string) error {
	if formats[format] == nil {
		return fmt.Errorf("%w: %q is not %s", ErrFormat, format, words.Or(Formats()))
	}
	return nil
}

// Files are the files of a table in a format, which [Check] knows.
func (t *Table) Files(format string) []File { return formats[format](t) }

// values writes all features, little-endian.
func (t *Table) values(w *bufio.Writer) error {
	for block, err := range t.Blocks {
		if err == nil {
			err = binary.Write(w, binary.LittleEndian, block)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// labels are those of all rows.
func (t *Table) labels() []int64 {
	all := make([]int64, len(t.Rows))
	for i, r := range t.Rows {
		all[i] = int64(r.Label)
	}
	return all
}

// each hands every row and its feature to do.
func (t *Table) each(do func(r *Row, feature []float32) error) error {
	at := 0
	for block, err := range t.Blocks {
		for ; err == nil && len(block) > 0; block = block[t.Dim:] {
			err = do(&t.Rows[at], block[:t.Dim])
			at++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Row) sum() string { return hex.EncodeToString(r.SHA256[:]) }

// indexFile lists the rows beside arrays.
func (t *Table) indexFile() File {
	return File{"index.csv", func(w *bufio.Writer) error {
		return csvfile.To(w, func(yield func([]string) bool) {
			if !yield([]string{"row", "path", "label", "split", "sha256"}) {
				return
			}
			for i := range t.Rows {
				r := &t.Rows[i]
				if !yield([]string{strconv.Itoa(i), r.Path, r.Class, r.Split, r.sum()}) {
					return
				}
			}
		})
	}}
}
