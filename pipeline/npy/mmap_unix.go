//go:build unix

package npy

import (
	"os"

	"golang.org/x/sys/unix"
)

// CanMap says whether files can be mapped here.
const CanMap = true

// forget lets the system have the memory of what is mapped: it is read again where it is
// needed, from the cache of the system as a rule.
func forget(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) }

// mapFile maps the first size bytes of f, and returns what unmaps them.
func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, &os.PathError{Op: "mmap", Path: f.Name(), Err: err}
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
