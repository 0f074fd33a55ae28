package predictions

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/pipeline/files"
	"icebox/pipeline/words"
)

var (
	// ErrFormat is returned for a file whose ending names no format.
	ErrFormat = errors.New("format of predictions not known")
	// ErrExists is returned for a file that is there already.
	ErrExists = errors.New("the file is there already")
)

// encoder writes rows in one format.
type encoder interface {
	encode(*Row) error
	finish() error // writes what is left, and closes nothing
}

// formats are the formats that this program writes, by the ending of a file.
var formats = map[string]func(io.Writer, Layout) (encoder, error){
	".csv":   newCSV,
	".jsonl": newJSONL, ".ndjson": newJSONL,
}

// Endings are the endings of files that can be written.
func Endings() []string {
	all := make([]string, 0, len(formats))
	for ending := range formats {
		all = append(all, ending)
	}
	slices.Sort(all)
	return all
}

// Check returns an error unless a file of predictions can be made at path: an [ErrFormat],
// an [ErrExists] unless overwrite is set, or that of a folder that is not there.
func Check(path string, overwrite bool) error {
	if _, err := formatOf(path); err != nil {
		return err
	}
	fi, err := os.Stat(path)
	switch {
	case err == nil && fi.IsDir():
		return fmt.Errorf("%s is a folder, and predictions go to a file", path)
	case err == nil && fi.Mode().IsRegular() && !overwrite:
		return fmt.Errorf("%w: %s", ErrExists, path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	_, err = os.Stat(filepath.Dir(path))
	return err
}

func formatOf(path string) (func(io.Writer, Layout) (encoder, error), error) {
	ending := strings.ToLower(filepath.Ext(path))
	if f, ok := formats[ending]; ok {
		return f, nil
	}
	return nil, fmt.Errorf("%w: %s ends in %q, and not in %s", ErrFormat, path, ending, words.Or(Endings()))
}

// Writer writes rows to a file, in the format that the file's ending names.
type Writer struct {
	file     *files.File // that is to be one of the predictions; nil once it is
	device   *os.File    // a pipe or a device that takes them instead
	buffered *bufio.Writer
	rows     encoder
}

// Create begins the file at path. It has its name once it is whole: until Close, the
// rows are in a file beside it whose name begins with a dot. The errors are those of
// [Check].
func Create(path string, l Layout, overwrite bool) (*Writer, error) {
	if err := Check(path, overwrite); err != nil {
		return nil, err
	}
	format, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{}
	var out io.Writer
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() {
		w.device, err = os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		out = w.device
	} else {
		if w.file, err = files.Create(path); err != nil {
			return nil, err
		}
		out = w.file
	}
	w.buffered = bufio.NewWriterSize(out, 1<<20)
	if w.rows, err = format(w.buffered, l); err != nil {
		w.Abandon()
		return nil, err
	}
	return w, nil
}

// NewCSV writes rows as CSV to out. The caller ends with Close, which leaves out open.
func NewCSV(out io.Writer, l Layout) (*Writer, error) {
	w := &Writer{buffered: bufio.NewWriter(out)}
	var err error
	w.rows, err = newCSV(w.buffered, l)
	return w, err
}

// Write adds a row, which the caller may change afterwards.
func (w *Writer) Write(r *Row) error { return w.rows.encode(r) }

// Close ends the file and gives it its name. Where that fails, no file is left.
func (w *Writer) Close() error {
	err := errors.Join(w.rows.finish(), w.buffered.Flush())
	switch {
	case w.device != nil:
		err = errors.Join(err, w.device.Close())
	case w.file != nil && err != nil:
		w.file.Abandon()
	case w.file != nil:
		err = w.file.Replace()
	}
	w.file, w.device = nil, nil
	return err
}

// Abandon lets go of a file that is not to be kept. After Close it does nothing.
func (w *Writer) Abandon() {
	if w.device != nil {
		w.device.Close()
	}
	if w.file != nil {
		w.file.Abandon()
	}
	w.file, w.device = nil, nil
}
