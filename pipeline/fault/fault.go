// Package fault says what is wrong with options: one value a field, so that whoever
// read the options from somewhere can say where the value was written.
package fault

import (
	"errors"
	"fmt"
)

// Fault is what is wrong with one field of a package's options.
type Fault struct {
	Field string // its path, such as "Split.Val"; a struct's where no single field is to blame
	Text  string // what goes on after the field's name: "(2) must be less than 1"
	Cause error  // what the owner of the field returned; nil where that is this fault
}

// Error implements error.
func (f *Fault) Error() string { return f.Field + " " + f.Text }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// List collects faults.
type List []error

// Check adds a fault unless ok.
func (l *List) Check(ok bool, field, format string, args ...any) {
	if !ok {
		*l = append(*l, &Fault{Field: field, Text: fmt.Sprintf(format, args...)})
	}
}

// Under adds the faults of a part of the options, whose fields lie below section. An
// error that is no fault is one of the section itself.
func (l *List) Under(section string, err error) {
	for _, e := range leaves(err) {
		*l = append(*l, below(section, e))
	}
}

// Err joins the faults; nil if there are none.
func (l List) Err() error { return errors.Join(l...) }

// below is e with its field below section.
func below(section string, e error) *Fault {
	var f *Fault
	var other interface{ Fault() (field, text string) }
	switch {
	case errors.As(e, &f):
		return &Fault{section + "." + f.Field, f.Text, f.Cause}
	case errors.As(e, &other):
		field, text := other.Fault()
		return &Fault{section + "." + field, text, e}
	}
	return &Fault{section, e.Error(), e}
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

// All returns the faults in err.
func All(err error) []*Fault {
	var all []*Fault
	for _, e := range leaves(err) {
		var f *Fault
		if !errors.As(e, &f) {
			f = &Fault{Text: e.Error(), Cause: e}
		}
		all = append(all, f)
	}
	return all
}
