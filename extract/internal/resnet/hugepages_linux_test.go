package resnet

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestWeightsLieOnLargePages(t *testing.T) {
	if !tellsOfLargePages(t) {
		t.Skip("this system has no large pages, or does not tell which memory is to lie on them")
	}
	const rows, columns = 4 * kBlock, 2048
	for _, e := range []element{float, half, bf16} {
		p := newPacked(columns, []int{rows}, e)
		middle := uintptr(unsafe.Pointer(unsafe.SliceData(p.data))) + 2*rows*columns
		if e != float {
			middle = uintptr(unsafe.Pointer(unsafe.SliceData(p.narrow))) + rows*columns
		}
		if flags := mappingOf(t, middle); !strings.Contains(flags, " hg") {
			t.Errorf("element %d: nothing was asked for the memory of weights: %s", e, flags)
		}
		runtime.KeepAlive(p)
	}
}

// tellsOfLargePages reports whether a request for large pages can be seen. An emulator of a
// processor passes none on, and makes up the flags of memory.
func tellsOfLargePages(t *testing.T) bool {
	memory, err := unix.Mmap(-1, 0, 2*hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(memory)
	if err := unix.Madvise(memory, unix.MADV_HUGEPAGE); err != nil {
		return false
	}
	return strings.Contains(mappingOf(t, uintptr(unsafe.Pointer(&memory[0]))), " hg")
}

// mappingOf returns the flags of the mapping that an address is in, or "" where the system does
// not tell them.
func mappingOf(t *testing.T, address uintptr) string {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skipf("the flags of memory cannot be read here: %v", err)
	}
	inside := false
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			inside = from <= address && address < to
		}
		if inside && strings.HasPrefix(line, "VmFlags:") {
			return line
		}
	}
	return ""
}
