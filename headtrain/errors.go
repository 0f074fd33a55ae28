package headtrain

import (
	"errors"
	"slices"
	"strings"

	"icebox/headtrain/internal/fault"
)

// Faults of what the caller hands over.
var (
	// ErrOptions is returned for options that Options.Validate rejects.
	ErrOptions = errors.New("invalid head options")

	// ErrDataset is returned for a dataset that Dataset.Validate rejects, or
	// that leaves nothing to fit or to judge.
	ErrDataset = errors.New("invalid dataset")
)

// Faults while fitting.
var (
	// ErrDiverged is returned when a loss or a weight is no longer finite.
	ErrDiverged = errors.New("training diverged")
)

// Faults of a head or its file.
var (
	// ErrFormat is returned for a file that is not a head of icebox.
	ErrFormat = errors.New("not a valid head file")

	// ErrNewer is returned for a head file of a later version of icebox.
	ErrNewer = errors.New("head file of a newer format")

	// ErrFingerprint is returned when a head meets features that it was not
	// trained on.
	ErrFingerprint = errors.New("head and features do not match")
)

func oneOf(f *fault.List, name, value string, allowed ...string) {
	f.Check(slices.Contains(allowed, value), "%s must be one of %s, not %q", name, strings.Join(allowed, ", "), value)
}
