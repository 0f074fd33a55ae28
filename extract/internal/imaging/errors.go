package imaging

import (
	"errors"
	"fmt"
)

// Every error of this package is one of these classes, to be asked with
// errors.Is; its text is one line for people and names no file.
var (
	// ErrEmpty is returned for a file of 0 bytes.
	ErrEmpty = errors.New("empty file (0 bytes)")
	// ErrFormat is returned for bytes that are no image, or a damaged one.
	ErrFormat = errors.New("not an image")
	// ErrTruncated is returned when the file ends before the image does.
	ErrTruncated = errors.New("truncated image")
	// ErrTooLarge is returned, before decoding, when the header announces more
	// pixels than Options.MaxPixels.
	ErrTooLarge = errors.New("image too large")
	// ErrUnsupported is returned for a sound image of a kind that is not read.
	ErrUnsupported = errors.New("unsupported image")
)

// fault is an error of one of the classes above, with a text of its own.
type fault struct {
	class error
	text  string
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.class }

func failf(class error, format string, args ...any) error {
	return &fault{class, fmt.Sprintf(format, args...)}
}
