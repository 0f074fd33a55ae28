package headtrain

import "golang.org/x/sys/unix"

// adviseHuge asks for large pages. To be refused costs time alone.
func adviseHuge(memory []byte) { _ = unix.Madvise(memory, unix.MADV_HUGEPAGE) }
