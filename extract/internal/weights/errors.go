package weights

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Errors of Find.
var (
	// ErrNotFound is returned when no place holds the weights asked for.
	ErrNotFound = errors.New("no backbone weights found")
	// ErrHashNotFound is the ErrNotFound of a search for one tensor hash.
	ErrHashNotFound = fmt.Errorf("%w with the tensor hash", ErrNotFound)
	// ErrVariable is returned when PathVariable names a file that cannot be read.
	ErrVariable = errors.New(PathVariable + " names weights that cannot be read")
)

// Errors about the content of a file.
var (
	// ErrFormat is returned for a file that is neither a sound .pth nor a sound
	// .safetensors.
	ErrFormat = errors.New("not a readable weights file")
	// ErrUnsafePickle is returned for a .pth whose pickle asks for anything
	// beyond tensors in dictionaries.
	ErrUnsafePickle = errors.New("unsafe pickle")
	// ErrMismatch is returned for tensors that are not resnet18's.
	ErrMismatch = errors.New("not the tensors of resnet18")
)

// Errors about downloading.
var (
	// ErrDownload is returned when a download did not come to its end.
	ErrDownload = errors.New("download failed")
	// ErrBroken is the ErrDownload of a connection that broke or stalled: what has
	// arrived is kept, and the next Fetch resumes.
	ErrBroken = fmt.Errorf("%w: it broke off", ErrDownload)
	// ErrNoNetwork is the ErrDownload of an address to which no connection came about.
	ErrNoNetwork = fmt.Errorf("%w: no network", ErrDownload)
	// ErrRange is the ErrDownload of a server that resumes at the wrong byte: as long
	// as the .part file is there, the next Fetch meets it again.
	ErrRange = fmt.Errorf("%w: the server answered with the wrong range", ErrDownload)
	// ErrChecksum is returned for a download that has the wrong SHA-256.
	ErrChecksum = errors.New("wrong SHA-256")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}

// guarded calls f, which reads a mapped file that may be hostile. It turns a memory
// fault (another process has shortened the file) or a panic of a parser into ErrFormat.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case interface {
			runtime.Error
			Addr() uintptr
		}:
			err = malformed("the file shrank while it was read")
		default:
			err = malformed("%.200s", fmt.Sprint(p))
		}
	}()
	return f()
}
