package headtrain

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestFeaturesLieOnLargePages(t *testing.T) {
	setting, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil {
		t.Skipf("this kernel has no large pages: %v", err)
	}
	if strings.Contains(string(setting), "[never]") {
		t.Skip("large pages are switched off on this machine")
	}
	if !tellsOfLargePages(t) {
		t.Skip("this kernel does not tell which memory is to lie on large pages")
	}
	for _, n := range []int{0, 1, 1000, hugePage / 2, hugePage/2 + 1, 5*hugePage/4 + 3} {
		x := NewFeatures(n)
		if len(x) != n {
			t.Fatalf("%d values, want %d", len(x), n)
		}
		for i := range x {
			if x[i] != 0 {
				t.Fatalf("value %d of %d is %v", i, n, x[i])
			}
			x[i] = 1
		}
		if n < hugePage { // fewer than two pages of float32 need not hold a whole one
			continue
		}
		if !strings.Contains(mappingOf(t, uintptr(unsafe.Pointer(&x[n/2]))), " hg") {
			t.Errorf("nothing was asked for the memory of %d values", n)
		}
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
		t.Skipf("this kernel has no large pages: %v", err)
	}
	return strings.Contains(mappingOf(t, uintptr(unsafe.Pointer(&memory[0]))), " hg")
}

// mappingOf returns the flags of the mapping that an address is in.
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
	t.Skip("this kernel does not tell the flags of memory")
	return ""
}
