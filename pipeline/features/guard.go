package features

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"unsafe"

	"icebox/pipeline/dataset"
	"icebox/pipeline/npy"
)

// ErrChanged, a [dataset.ErrData], is returned when a file of features is written to or cut
// short while its rows are in use.
var ErrChanged = fmt.Errorf("%w: a file of features changed while it was in use", dataset.ErrData)

// Guard implements [Source]. A file that is cut short under a mapping makes a fault of
// every row that it no longer has. On this goroutine a fault is a panic meanwhile, and
// those of headtrain's workers are raised on the goroutine that asked for their work.
func (f *Folder) Guard(work func() error) (err error) {
	if f.Mapped() == 0 {
		return work()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		fault, ok := p.(interface {
			runtime.Error
			Addr() uintptr
		})
		switch {
		case p == nil:
		case ok && f.mappedAt(fault.Addr()) != nil:
			s := f.mappedAt(fault.Addr())
			err = cmp.Or(f.Intact(), fmt.Errorf("%w: %s: its rows cannot be read", dataset.ErrData, filepath.Join(s.dir, featuresFile)))
		default:
			panic(p)
		}
	}()
	return work()
}

// mappedAt is the folder whose rows are mapped at an address; nil if none are.
func (f *Folder) mappedAt(addr uintptr) *arraySet {
	for i := range f.sets {
		s := &f.sets[i]
		first := uintptr(unsafe.Pointer(unsafe.SliceData(s.x)))
		if s.mapped && addr >= first && addr-first < uintptr(4*len(s.x)) {
			return s
		}
	}
	return nil
}

// Intact implements [Source].
func (f *Folder) Intact() error {
	for i := range f.sets {
		if s := &f.sets[i]; s.mapped {
			if err := unchanged(s.file); err != nil {
				return err
			}
		}
	}
	return nil
}

// unchanged returns an [ErrChanged] if a file is not as it was opened.
func unchanged(file *npy.File) error {
	if err := file.Unchanged(); err != nil {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return nil
}

// Guard implements [Source]. Rows of a cache are copied.
func (c *Cached) Guard(work func() error) error { return work() }

// Intact implements [Source]. Rows of a cache are copied.
func (c *Cached) Intact() error { return nil }
