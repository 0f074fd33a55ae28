package headtrain

import "unsafe"

// hugePage is the size of the pages that NewFeatures asks for, on amd64 and, as
// a rule, elsewhere.
const hugePage = 2 << 20

// NewFeatures returns n zeros to hold features, as make does, but on large pages
// if the system grants them: rows in random order, each on another page, cost a
// tenth of an epoch in address translation otherwise.
func NewFeatures(n int) []float32 {
	x := make([]float32, n)
	if memory := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*n); len(memory) >= 2*hugePage {
		// Not a byte beside x is touched by what is said of it.
		from := -int(uintptr(unsafe.Pointer(&memory[0]))) & (hugePage - 1)
		adviseHuge(memory[from : from+(len(memory)-from)/hugePage*hugePage])
	}
	return x
}
