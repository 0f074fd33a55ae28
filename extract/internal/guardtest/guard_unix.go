//go:build linux || darwin

// Package guardtest gives tests of assembly memory with unreadable pages at
// both ends.
package guardtest

import (
	"syscall"
	"testing"
	"unsafe"
)

// Slice returns n elements that end (or, with head, begin) at a page that may not
// be touched, so that code that strays faults. Systems without such pages give
// plain memory.
func Slice[T any](t testing.TB, n int, head bool) []T {
	t.Helper()
	var zero T
	length := n * int(unsafe.Sizeof(zero))
	page := syscall.Getpagesize()
	size := (length + page - 1) / page * page
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
		at += size - length
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[at])), n)
}
