package headtrain

import (
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/rng"
)

// Shuffle says how the rows of an epoch are put in random order.
type Shuffle string

// Values of Options.Shuffle.
//
// "rows" puts all rows in random order. If features are a file that memory cannot
// hold, nearly every row is then read by itself.
//
// "blocks" is for such files. The training rows are cut into blocks of 32 KiB, or
// of one row if that is larger, and the blocks into up to 1024 equal stretches. An
// epoch is a sequence of windows. Each window takes one random block from each
// stretch, 32 MiB in all at most, and shuffles their rows. So it is a sample of the
// whole set even if rows are sorted by class, unless there are about as many classes
// as blocks. A set that fits into one window is shuffled as by "rows", to the bit.
const (
	ShuffleRows   Shuffle = "rows"
	ShuffleBlocks Shuffle = "blocks"
)

// IsZero reports whether s is the default, which is not recorded.
func (s Shuffle) IsZero() bool { return s == "" || s == ShuffleRows }

// Smaller blocks make better samples and slower reads.
const (
	blockBytes   = 32 << 10
	windowBlocks = 1024
)

// order is the training rows in the order of an epoch. It depends on the rows, their
// dimension, the seed and the epoch alone.
type order struct {
	rows []int32
	set  *labelled.Set
	seed uint64

	block   int     // rows of a block
	windows int     // 1 for ShuffleRows
	picks   []int32 // the blocks of each stretch, in the order of the windows
	seen    int     // rows of the epoch that were wanted so far
	asked   int     // windows that the system was asked to read
}

func newOrder(o Options, set *labelled.Set) *order {
	n := len(set.Rows)
	r := &order{rows: make([]int32, n), set: set, seed: o.Seed, block: n, windows: 1}
	if o.Shuffle != ShuffleBlocks {
		return r
	}
	r.block = max(1, blockBytes/(4*set.Dim))
	blocks := ceilDiv(n, r.block)
	r.windows = ceilDiv(blocks, windowBlocks)
	r.picks = make([]int32, ceilDiv(blocks, r.windows)*r.windows)
	return r
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// shuffle puts the rows in the order of an epoch.
func (o *order) shuffle(epoch int) {
	r := rng.New(o.seed, epoch)
	o.seen, o.asked = 0, 0
	o.advise(adviseRandom)
	if o.windows == 1 {
		copy(o.rows, o.set.Rows)
		r.Shuffle(o.rows)
		return
	}
	for i := range o.picks {
		o.picks[i] = int32(i)
	}
	for at := 0; at < len(o.picks); at += o.windows {
		r.Shuffle(o.picks[at : at+o.windows])
	}
	at := 0
	for w := range o.windows {
		begin := at
		for block := range o.blocksOf(w) {
			at += copy(o.rows[at:], block)
		}
		r.Shuffle(o.rows[begin:at])
	}
}

// blocksOf yields the blocks of a window in the order in which they lie. The last
// stretch may have none for it.
func (o *order) blocksOf(window int) func(yield func(rows []int32) bool) {
	return func(yield func([]int32) bool) {
		for at := window; at < len(o.picks); at += o.windows {
			begin := int(o.picks[at]) * o.block
			if begin < len(o.set.Rows) && !yield(o.set.Rows[begin:min(begin+o.block, len(o.set.Rows))]) {
				return
			}
		}
	}
}

// streams reports whether the rows of an epoch are read from a file window by
// window.
func (o *order) streams() bool { return o.set.Paged && o.windows > 1 }

// advise tells the system how all features will be read.
func (o *order) advise(how func(x []float32)) {
	if o.streams() {
		how(o.set.X)
	}
}

// rest tells that the epoch is over: what follows reads the file in its order.
func (o *order) rest() { o.advise(adviseInOrder) }

// want tells that the next n rows are read now. It asks the system to read the rows
// of the next window in the meantime, and lets it use the memory of those of the
// window before: a system that is short of memory reads ahead only if it finds some
// at once.
func (o *order) want(n int) {
	if !o.streams() {
		return
	}
	o.seen += n
	window := ceilDiv(len(o.rows), o.windows)
	for o.asked < o.windows && (o.asked-1)*window < o.seen {
		if o.asked > 1 {
			o.tell(o.asked-2, adviseDone)
		}
		o.tell(o.asked, adviseWanted)
		o.asked++
	}
}

// tell gives advice on the rows of a window. The rows of a block are taken together
// as long as the gaps between them are small.
func (o *order) tell(window int, advise func(x []float32)) {
	const gapBytes = 16 << 10
	dim := o.set.Dim
	gap := int32(1 + gapBytes/(4*dim))
	for rows := range o.blocksOf(window) {
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && rows[n]-rows[n-1] <= gap {
				n++
			}
			advise(o.set.X[int(rows[0])*dim : (int(rows[n-1])+1)*dim])
			rows = rows[n:]
		}
	}
}
