package config

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// ErrConfig is every fault of a configuration: something for the user to change.
var ErrConfig = errors.New("configuration")

// fault is one thing wrong, and where it was written.
type fault struct {
	origin string // "" where no one place is to blame
	name   string // of the key or section that it is in; "" if it is in none
	text   string
	cause  error // may be nil
}

func (f *fault) Error() string {
	if f.origin == "" {
		return f.text
	}
	return f.origin + ": " + f.text
}

func (f *fault) Is(target error) bool { return target == ErrConfig }

func (f *fault) Unwrap() error { return f.cause }

// faults collects what is wrong, to report it at once.
type faults []*fault

// maxFaults is how many are told of one file: more than that is no configuration.
const maxFaults = 50

// add adds a fault of the key or section of the given name.
func (f *faults) add(origin, name, format string, args ...any) {
	*f = append(*f, &fault{origin: origin, name: name, text: fmt.Sprintf(format, args...)})
}

// err joins them, one a line; nil if there are none.
func (f faults) err() error {
	var all []error
	for _, one := range f {
		all = append(all, one)
	}
	return errors.Join(all...)
}

// atLine is a fault within a value, and the line that it stands in.
type atLine struct {
	line int
	text string
}

func (e *atLine) Error() string { return e.text }

// within puts the place of n within a value before each fault of err.
func within(at string, n *yaml.Node, err error) error {
	var all []error
	for _, e := range leaves(err) {
		line := n.Line
		if inner := (*atLine)(nil); errors.As(e, &inner) {
			line = inner.line
		}
		all = append(all, &atLine{line, at + e.Error()})
	}
	return errors.Join(all...)
}

// leaves returns the errors that err joins, at any depth.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, leaves(e)...)
	}
	return all
}
