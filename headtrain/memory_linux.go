package headtrain

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// To be refused what is asked for here costs time alone.

// adviseHuge asks for large pages.
func adviseHuge(memory []byte) { _ = unix.Madvise(memory, unix.MADV_HUGEPAGE) }

// askBytes is as much as any system reads ahead when it is asked once.
const askBytes = 128 << 10

// The others are of features that lie in a file.

// adviseWanted asks for x to be read.
func adviseWanted(x []float32) { advise(x, askBytes, unix.MADV_WILLNEED) }

// adviseDone says that the memory of x is the first to be taken for something else.
func adviseDone(x []float32) { advise(x, 4*len(x)+askBytes, unix.MADV_COLD) }

// adviseRandom says that what lies beside a value of x is not worth to be read.
func adviseRandom(x []float32) { advise(x, 4*len(x)+askBytes, unix.MADV_RANDOM) }

// adviseInOrder says that x will be read from its beginning to its end.
func adviseInOrder(x []float32) { advise(x, 4*len(x)+askBytes, unix.MADV_NORMAL) }

// advise says something of the pages that x lies on, so many bytes at a time.
func advise(x []float32, step, advice int) {
	page := uintptr(os.Getpagesize())
	from := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	end := (from + uintptr(4*len(x)) + page - 1) &^ (page - 1)
	for from &^= page - 1; from < end; from += uintptr(step) {
		// Not by a slice: it would reach beyond x.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, min(uintptr(step), end-from), uintptr(advice))
	}
}
