package headtrain

import "unsafe"

// hugePage is the size of the pages that NewFeatures asks for: that of amd64, and
// of most other systems.
const hugePage = 2 << 20

// NewFeatures returns n zeros to hold features, as make does, but on large pages
// if the system grants them. On small ones, an epoch spends a tenth of its time on
// address translation, since rows come in random order and lie on different pages.
func NewFeatures(n int) []float32 {
	x := make([]float32, n)
	if memory := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*n); len(memory) >= 2*hugePage {
		// The advice covers whole pages within x and nothing beside it.
		from := -int(uintptr(unsafe.Pointer(&memory[0]))) & (hugePage - 1)
		adviseHuge(memory[from : from+(len(memory)-from)/hugePage*hugePage])
	}
	return x
}
