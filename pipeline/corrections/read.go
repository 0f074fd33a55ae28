package corrections

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/cache"
	"icebox/pipeline/words"
)

// MaxFile bounds a file, in bytes.
const MaxFile = 256 << 20

// File is what a file held when it was read.
type File struct {
	Path    string
	Changes []Change
	SHA256  [sha256.Size]byte // of its bytes
	Bytes   []byte            // all of them; nobody changes them
	// Torn is the number of the last line, if that has no end and cannot be read: somebody
	// was killed, or the disk was full, while it was written. It is left out. 0 is none.
	Torn int

	form form
	end  int64 // where the next line goes
	open bool  // the last line has no end, and is whole but for that
}

// PicturesOf is the folder of the pictures that are kept beside a file of corrections, which
// need not be there; "" for "".
func PicturesOf(file string) string {
	if file == "" {
		return ""
	}
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	return strings.TrimSuffix(file, filepath.Ext(file)) + "-pictures"
}

// Read reads the file at path. It returns an [ErrMissing] where there is none, and an
// [ErrFormat] that names the line where one cannot be read.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there", ErrMissing, path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrFormat, path, MaxFile)
	}
	return parse(path, data)
}

const mark = "\ufeff"

// parse reads the bytes of a file.
func parse(path string, data []byte) (*File, error) {
	f := &File{Path: path, SHA256: sha256.Sum256(data), Bytes: data, form: form{comma: ','}}
	body := bytes.TrimPrefix(data, []byte(mark))
	end := bytes.LastIndexByte(body, '\n') + 1
	whole, tail := body[:end], body[end:]
	if end == 0 {
		if !bytes.HasPrefix([]byte(f.form.join(header...)), tail) {
			return nil, fmt.Errorf("%w: %s does not begin with the line %s", ErrFormat, path, strings.Join(header, ","))
		}
		if len(data) > 0 {
			f.Torn = 1
		}
		return f, nil
	}
	first, _, _ := bytes.Cut(whole, []byte("\n"))
	f.form.crlf = bytes.HasSuffix(first, []byte("\r"))
	for _, comma := range ";\t" {
		if bytes.ContainsRune(first, comma) {
			f.form.comma = comma
		}
	}
	if err := f.readLines(whole); err != nil {
		return nil, err
	}
	f.end = int64(len(data) - len(tail))
	f.readTail(tail, bytes.Count(whole, []byte("\n"))+1)
	return f, f.checkUndo()
}

// readLines reads lines that have an end.
func (f *File) readLines(whole []byte) error {
	r := f.form.reader(whole)
	for n := 0; ; n++ {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) && n > 0 {
			return nil
		}
		var fault *csv.ParseError
		if errors.As(err, &fault) {
			return f.fault(fault.StartLine, fault.Err)
		}
		if n == 0 && !slices.Equal(fields, header) {
			return fmt.Errorf("%w: %s does not begin with the line %s", ErrFormat, f.Path, strings.Join(header, ","))
		}
		if n == 0 {
			continue
		}
		if err != nil {
			return err
		}
		c, err := change(fields)
		if err != nil {
			line, _ := r.FieldPos(0)
			return f.fault(line, err)
		}
		f.Changes = append(f.Changes, c)
	}
}

// readTail takes in the last line, which has no end, if it is whole: an editor may have
// saved the file so. Our own end in a time, no beginning of which is one.
func (f *File) readTail(tail []byte, line int) {
	if len(tail) == 0 {
		return
	}
	fields, err := f.form.reader(tail).Read()
	if err == nil {
		var c Change
		if c, err = change(fields); err == nil {
			f.Changes, f.open, f.end = append(f.Changes, c), true, f.end+int64(len(tail))
			return
		}
	}
	f.Torn = line
}

func (f form) reader(data []byte) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord = f.comma, -1
	return r
}

func (f *File) fault(line int, err error) error {
	return fmt.Errorf("%w: %s, line %d: %w", ErrFormat, f.Path, line, err)
}

// checkUndo refuses an undo of an image that has no change left to take back.
func (f *File) checkUndo() error {
	left := map[cache.Key]int{}
	for i := range f.Changes {
		c := &f.Changes[i]
		if c.Action != Undo {
			left[c.Hash]++
			continue
		}
		if left[c.Hash]--; left[c.Hash] < 0 {
			return fmt.Errorf("%w: %s: the undo of %s, change %d, has nothing to take back", ErrFormat, f.Path, words.Name(c.Path), i+1)
		}
	}
	return nil
}
