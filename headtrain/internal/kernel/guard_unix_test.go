//go:build linux || darwin

package kernel

import (
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns n floats that end (or, with head, begin) at a page that may
// not be touched, so that a kernel that reads or writes outside its slices faults.
func guarded(t testing.TB, n int, head bool) []float32 {
	t.Helper()
	page := syscall.Getpagesize()
	size := (n*4 + page - 1) / page * page
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
		at += size - n*4
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&mem[at])), n)
}
