package kernel

// piece is the number of float32 that a kernel fetches at a time: 16 cache lines.
const piece = 16 * Lane

// Ahead lists memory to fetch into the cache while a kernel multiplies and the memory
// would be idle. Lines are fetched one by one, about one every twenty cycles, because a
// processor drops requests that come in bursts.
type Ahead struct {
	pieces []*float32
	next   int
}

// Reset empties the list.
func (a *Ahead) Reset() { a.pieces, a.next = a.pieces[:0], 0 }

// Add appends x to the list, and up to a piece of what is behind it.
func (a *Ahead) Add(x []float32) {
	for at := 0; at < len(x); at += piece {
		a.pieces = append(a.pieces, &x[at])
	}
}
