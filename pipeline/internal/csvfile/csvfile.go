// Package csvfile writes CSV: one way, whoever has lines to write.
package csvfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"iter"

	"icebox/pipeline/files"
)

// Write writes lines, the header first, to the file at path, over one that is there, which
// stays as it is where that fails. A line may be reused once the next is asked for.
func Write(path string, lines iter.Seq[[]string]) error {
	f, err := files.Create(path)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := errors.Join(To(buffered, lines), buffered.Flush()); err != nil {
		f.Abandon()
		return err
	}
	return f.Replace()
}

// To writes lines to w.
func To(w io.Writer, lines iter.Seq[[]string]) error {
	out := csv.NewWriter(w)
	for line := range lines {
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
