package headtrain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Faults of what the caller hands over.
var (
	// ErrOptions is returned for options that cannot be used. A Fault is one.
	ErrOptions = errors.New("invalid head options")

	// ErrEngine is returned, beside ErrOptions, for options that this engine
	// cannot follow and another one may.
	ErrEngine = errors.New("not possible with this engine")

	// ErrDataset is returned for a dataset that Dataset.Validate rejects, or
	// that leaves nothing to fit or to judge.
	ErrDataset = errors.New("invalid dataset")
)

// ErrDiverged is returned when a loss or a weight is no longer finite. A
// Divergence says where.
var ErrDiverged = errors.New("training diverged")

// Faults of a head or its file.
var (
	// ErrFormat is returned for a file that is not a valid head file, or that
	// has a kind of head that this version does not know.
	ErrFormat = errors.New("not a valid head file")

	// ErrNewer is returned for a head file of a later format.
	ErrNewer = errors.New("head file of a newer format")

	// ErrFingerprint is returned when a head meets features that it was not
	// trained on.
	ErrFingerprint = errors.New("head and features do not match")
)

// Fault is one option whose value cannot be used. It wraps ErrOptions.
type Fault struct {
	Field  string // the option's path in its struct, such as "LR" or "EarlyStopping.Patience"
	Text   string // what is wrong with it, to be read behind its name: "(0) must be more than 0"
	Engine string // the engine that cannot follow it; "" if no engine can
}

func (f Fault) Error() string { return f.Field + " " + f.Text }

// Fault returns the field and the text.
func (f Fault) Fault() (field, text string) { return f.Field, f.Text }

// Is reports whether f is of the class target: ErrOptions, or ErrEngine if an
// engine is named.
func (f Fault) Is(target error) bool {
	return target == ErrOptions || target == ErrEngine && f.Engine != ""
}

// faults collects what is wrong with options, to report all of it at once.
type faults []error

func (f *faults) check(ok bool, field, format string, args ...any) {
	if !ok {
		*f = append(*f, Fault{Field: field, Text: fmt.Sprintf(format, args...)})
	}
}

func (f *faults) oneOf(field, value string, known ...string) {
	last := len(known) - 1
	f.check(slices.Contains(known, value), field, "%q is not known: choose %s or %s", value, strings.Join(known[:last], ", "), known[last])
}

func (f faults) err() error { return errors.Join(f...) }

// Divergence says where training left the numbers that float32 can hold. It
// wraps ErrDiverged.
type Divergence struct {
	What    string  // "the loss", "a weight", …
	Epoch   int     // from 1
	Options Options // of the head, with defaults
}

func (d *Divergence) Error() string {
	if d.Options.Optimizer == OptimizerLBFGS {
		return fmt.Sprintf("%v: %s is not finite in iteration %d: the features are too large or too small for float32", ErrDiverged, d.What, d.Epoch)
	}
	return fmt.Sprintf("%v: %s is not finite in epoch %d, at a learning rate of %.3g", ErrDiverged, d.What, d.Epoch, d.Options.LR)
}

func (d *Divergence) Unwrap() error { return ErrDiverged }
