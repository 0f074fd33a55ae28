package cuda

import (
	"errors"
	"strings"
)

// Errors of the engine's Open, beside those of package extract.
var (
	// ErrNoSuchGPU is returned for a number that is no GPU's.
	ErrNoSuchGPU = errors.New("no such GPU")
	// ErrNoneOpens is returned when there are GPUs, and none can be used.
	ErrNoneOpens = errors.New("no GPU can be used")
)

// LibraryError is returned for a library that is missing or is of a version that does
// not fit. It is an extract.ErrNoDevice for the driver's library, else an
// extract.ErrEngineUnavailable.
type LibraryError struct {
	Library string // the name of its file, such as libcudnn.so.9
	Fault   string // "libcudnn.so.9 is not found", "… is cuDNN 8.9.7, and 9 is wanted", …
	Source  string // where there is a fitting one
	Package string // the Python package that holds a fitting one, "" if none does
	class   error
}

func (e *LibraryError) Error() string { return e.Fault + "; " + e.Source }

func (e *LibraryError) Unwrap() error { return e.class }

// notFound says why no file of this name was loaded: each of those that are there has
// a fault.
func notFound(soname string, faults []string) string {
	if len(faults) > 0 {
		return soname + " cannot be loaded: " + strings.Join(faults, "; ")
	}
	return soname + " is not found"
}
