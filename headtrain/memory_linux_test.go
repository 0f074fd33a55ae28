package headtrain

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

func TestFeaturesLieOnLargePages(t *testing.T) {
	setting, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil {
		t.Skipf("this kernel has no large pages: %v", err)
	}
	if strings.Contains(string(setting), "[never]") {
		t.Skip("large pages are switched off on this machine")
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
