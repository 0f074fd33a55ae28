//go:build unix

package cache

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestFaultInMappedMemoryIsAnError(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "short"))
	must(t, err)
	defer f.Close()
	must(t, f.Truncate(2*pageSize))
	mem, err := syscall.Mmap(int(f.Fd()), 0, 2*pageSize, syscall.PROT_READ, syscall.MAP_SHARED)
	must(t, err)
	defer syscall.Munmap(mem)
	must(t, f.Truncate(0))
	sum := 0
	err = guard(func() error { sum += int(mem[pageSize]); return nil })
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("%d, %v", sum, err)
	}
}
