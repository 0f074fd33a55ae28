package headtrain

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for large pages. To be refused costs time alone.
func adviseHuge(memory []byte) { _ = unix.Madvise(memory, unix.MADV_HUGEPAGE) }

// askBytes is as much as the system reads ahead at once, whatever it is asked for.
const askBytes = 128 << 10

// adviseWanted asks for the pages that x lies on, which are of a file. To be refused
// costs time alone.
func adviseWanted(x []float32) {
	page := uintptr(os.Getpagesize())
	from := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	end := (from + uintptr(4*len(x)) + page - 1) &^ (page - 1)
	for from &^= page - 1; from < end; from += askBytes {
		// Not by a slice: it would reach beyond x.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, min(askBytes, end-from), unix.MADV_WILLNEED)
	}
}
