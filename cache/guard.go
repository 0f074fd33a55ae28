package cache

import (
	"runtime/debug"
)

// guard runs fn, which lets bbolt follow pointers through mapped memory: on a damaged
// file, or a disk that fails, that panics or faults. Both become ErrCorrupt. bbolt
// starts no goroutines for what is done here, so nothing escapes.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = corruptf("bbolt: %v", r)
		}
	}()
	return fn()
}
