// Package fault collects what is wrong with a value, so that all of it is
// reported at once.
package fault

import (
	"errors"
	"fmt"
)

// List is the faults found so far. The zero value has none.
type List []error

// Check adds a fault unless ok.
func (l *List) Check(ok bool, format string, args ...any) {
	if !ok {
		*l = append(*l, fmt.Errorf(format, args...))
	}
}

// Err returns nil without faults, else one error that wraps class and each
// fault.
func (l List) Err(class error) error {
	if len(l) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", class, errors.Join(l...))
}
