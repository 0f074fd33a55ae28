package resnet

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size in bytes of a large page of memory.
const hugePage = 2 << 20

// hugePages asks for large pages for the whole ones within weights, which nobody has touched
// yet. A forward pass reads some 250 MB of them from beginning to end, and on small pages waits
// for addresses to be translated. A system may refuse; the pass is then only slower.
func hugePages[T any](weights []T) {
	size := len(weights) * int(unsafe.Sizeof(*new(T)))
	memory := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(weights))), size)
	from := -int(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))) & (hugePage - 1)
	if n := (size - from) / hugePage * hugePage; n > 0 {
		_ = unix.Madvise(memory[from:from+n], unix.MADV_HUGEPAGE)
	}
}
