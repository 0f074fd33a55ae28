//go:build linux || darwin

package guard

import (
	"syscall"
	"testing"
	"unsafe"
)

// Slice returns n elements, all zero, that end (or, with head, begin) at a page that
// may not be touched. T holds no pointers.
func Slice[T any](t testing.TB, n int, head bool) []T {
	t.Helper()
	page, bytes := syscall.Getpagesize(), n*int(unsafe.Sizeof(*new(T)))
	size := (bytes + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("mmap: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	for _, fence := range [][]byte{mem[:page], mem[page+size:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatalf("mprotect: %v", err)
		}
	}
	at := page
	if !head {
		at += size - bytes
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[at])), n)
}
