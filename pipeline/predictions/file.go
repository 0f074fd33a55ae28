package predictions

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	path     string
	file     *os.File // to become path, or path itself where that is a pipe or a device
	buffered *bufio.Writer
	rows     encoder
	renamed  bool // file is not path yet
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
	w := &Writer{path: path, renamed: true}
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() {
		w.renamed = false
		w.file, err = os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
	} else if w.file, err = createBeside(path); err != nil {
		return nil, err
	}
	w.buffered = bufio.NewWriterSize(w.file, 1<<20)
	if w.rows, err = format(w.buffered, l); err != nil {
		w.Abandon()
		return nil, err
	}
	return w, nil
}

// createBeside makes a file in the folder of path, under a name of its own, with the
// permissions that new files get.
func createBeside(path string) (*os.File, error) {
	name := fmt.Sprintf(".%s.%x", filepath.Base(path), rand.Uint64())
	return os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
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
	if w.file == nil {
		return err
	}
	if w.renamed {
		err = errors.Join(err, w.file.Sync())
	}
	err = errors.Join(err, w.file.Close())
	if w.renamed {
		if err == nil {
			err = os.Rename(w.file.Name(), w.path)
		}
		if err != nil {
			os.Remove(w.file.Name())
		}
	}
	w.file = nil
	return err
}

// Abandon lets go of a file that is not to be kept. After Close it does nothing.
func (w *Writer) Abandon() {
	if w.file == nil {
		return
	}
	w.file.Close()
	if w.renamed {
		os.Remove(w.file.Name())
	}
	w.file = nil
}
