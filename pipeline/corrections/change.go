package corrections

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

// Action is what a change does.
type Action string

// The actions; see the package.
const (
	Relabel Action = "relabel"
	Confirm Action = "confirm"
	Exclude Action = "exclude"
	Undo    Action = "undo"
)

// Change is a line of a file.
type Change struct {
	Action Action
	Path   string // of the image, as [dataset.Dataset.Display] gives it
	Hash   cache.Key
	Old    string // class before; "" is none
	New    string // class after; "" is none
	When   time.Time
}

var (
	// ErrFormat, a [dataset.ErrData], is returned for a file that does not hold corrections,
	// or has a line that cannot be read.
	ErrFormat = fmt.Errorf("%w: not a file of corrections", dataset.ErrData)
	// ErrMissing, a [dataset.ErrData], is returned for a file that is not there.
	ErrMissing = fmt.Errorf("%w: no file of corrections", dataset.ErrData)
	// ErrHeld is returned where another process writes to a file.
	ErrHeld = errors.New("another process writes to the corrections")
	// ErrChanged is returned where a file is not as this process left it.
	ErrChanged = errors.New("another program has changed the corrections")
	// ErrNotWritten is returned where a change could not be written. The file is as it was.
	ErrNotWritten = errors.New("the correction was not written")
)

// Check returns an error unless a file may hold c.
func (c *Change) Check() error {
	switch c.Action {
	case Relabel:
		if c.New == "" {
			return errors.New("a relabel needs a class in the column new")
		}
	case Confirm, Exclude, Undo:
	default:
		return fmt.Errorf("the action %q is not known: it is relabel, confirm, exclude or undo", c.Action)
	}
	if c.Path == "" {
		return errors.New("the path is empty")
	}
	for _, class := range []string{c.Old, c.New} {
		if err := CheckClass(class); err != nil {
			return err
		}
	}
	if len(c.Path) > maxField {
		return fmt.Errorf("the path has %d bytes: %d are the limit", len(c.Path), maxField)
	}
	return nil
}

// CheckClass returns an error unless a class may have that name, or none.
func CheckClass(name string) error {
	switch {
	case !utf8.ValidString(name):
		return fmt.Errorf("the class name %q is not UTF-8", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the class name %q holds a control character", name)
	case len(name) > maxField:
		return fmt.Errorf("the class name has %d bytes: %d are the limit", len(name), maxField)
	}
	return nil
}
