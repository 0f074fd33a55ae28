package headtrain

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system may refuse any advice of this file. Training is then slower and gives
// the same result, so errors are ignored.

// adviseHuge asks for large pages.
func adviseHuge(memory []byte) { _ = unix.Madvise(memory, unix.MADV_HUGEPAGE) }

// askBytes is how much the system reads ahead for one call at most.
const askBytes = 128 << 10

// The functions below are about features that lie in a file.

// adviseWanted asks for x to be read ahead.
func adviseWanted(x []float32) { advise(x, askBytes, unix.MADV_WILLNEED) }

// adviseDone says that the memory of x may be used for something else first.
func adviseDone(x []float32) { advise(x, 4*len(x)+askBytes, unix.MADV_COLD) }

// adviseRandom says that x will be read at random places, so that the system does
// not read what lies beside them.
func adviseRandom(x []float32) { advise(x, 4*len(x)+askBytes, unix.MADV_RANDOM) }

// adviseInOrder says that x will be read from beginning to end.
func adviseInOrder(x []float32) { advise(x, 4*len(x)+askBytes, unix.MADV_NORMAL) }

// advise gives the system a piece of advice on the pages that x lies on, step
// bytes at a time.
func advise(x []float32, step, advice int) {
	page := uintptr(os.Getpagesize())
	from := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	end := (from + uintptr(4*len(x)) + page - 1) &^ (page - 1)
	for from &^= page - 1; from < end; from += uintptr(step) {
		// unix.Madvise takes a slice, which would have to reach beyond x.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, min(uintptr(step), end-from), uintptr(advice))
	}
}
