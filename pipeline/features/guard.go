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

// Guard implements [Source].
func (f *Folder) Guard(work func() error) (err error) {
	if f.Mapped() == 0 {
		return work()
	}
	return guard(work, func(addr uintptr) error {
		s := f.mappedAt(addr)
		if s == nil {
			return nil
		}
		return cmp.Or(f.Intact(), fmt.Errorf("%w: %s: its rows cannot be read", dataset.ErrData, filepath.Join(s.dir, featuresFile)))
	})
}

// guard returns the error of work, or, where work reads mapped rows that the file no longer
// has or the disk does not give, what explain says of the address; it says nil of an address
// that is not of such rows. On this goroutine a fault is a panic meanwhile, and those of
// headtrain's workers are raised on the goroutine that asked for their work.
func guard(work func() error, explain func(addr uintptr) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		fault, ok := p.(interface {
			runtime.Error
			Addr() uintptr
		})
		if ok {
			err = explain(fault.Addr())
		}
		if !ok || err == nil {
			panic(p)
		}
	}()
	return work()
}

// mappedAt is the folder whose rows are mapped at an address; nil if none are.
func (f *Folder) mappedAt(addr uintptr) *arraySet {
	for i := range f.sets {
		if s := &f.sets[i]; s.mapped && liesIn(s.x, addr) {
			return s
		}
	}
	return nil
}

// liesIn reports whether an address is one of x.
func liesIn(x []float32, addr uintptr) bool {
	first := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	return addr >= first && addr-first < uintptr(4*len(x))
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

// Guard implements [Source]. Rows of a cache are copied, to a file where they exceed the
// memory: nobody else knows it, but its disk may fail.
func (c *Cached) Guard(work func() error) error {
	if len(c.spools) == 0 {
		return work()
	}
	return guard(work, func(addr uintptr) error {
		for _, s := range c.spools {
			if liesIn(s.x, addr) {
				return fmt.Errorf("%w: the file of rows that exceed the memory, beside %s, cannot be read", dataset.ErrData, c.store.path)
			}
		}
		return nil
	})
}

// Intact implements [Source]. Rows of a cache are copied.
func (c *Cached) Intact() error { return nil }
