package pipeline

import "errors"

// Errors about the images given.
var (
	// ErrData is returned for a folder or manifest that holds no usable data set:
	// missing, empty, a class without an image, a label without a training image.
	ErrData = errors.New("unusable data")
	// ErrFailureBudget is returned when too many images had to be quarantined.
	// What could be extracted is kept.
	ErrFailureBudget = errors.New("too many bad images")
)

// Errors about what is in the cache.
var (
	// ErrChoose is returned when the cache holds several datasets or spaces and
	// none was named.
	ErrChoose = errors.New("choose one")
	// ErrNotExtracted is returned when training finds too few features.
	ErrNotExtracted = errors.New("features missing")
)

// Errors about sweeps.
var (
	// ErrManyHeads is returned for a sweep of more heads than anybody wants by
	// mistake.
	ErrManyHeads = errors.New("too many heads")
	// ErrResume is returned for a sweep that cannot be resumed: not there, complete,
	// or begun with other settings.
	ErrResume = errors.New("not to be resumed")
)

// Errors about heads.
var (
	// ErrClasses is returned when a head and a dataset name different classes.
	ErrClasses = errors.New("classes differ")
	// ErrRun is returned for a folder that holds no run.
	ErrRun = errors.New("not a run folder")
)
