package resample

// Bits is the number of fractional bits of a weight.
const Bits = 32 - 8 - 2

const (
	half    = 1 << (Bits - 1)
	lowBits = Bits / 2
	lowMask = 1<<lowBits - 1
)

// Pair is two weights, as the upper and lower halves of both.
type Pair struct{ high, low [2]int16 }

// weights puts the halves together.
func (p *Pair) weights() (first, second int32) {
	return int32(p.high[0])<<lowBits + int32(p.low[0]), int32(p.high[1])<<lowBits + int32(p.low[1])
}

// set splits weight w, from 0 to 1<<Bits, in place i.
func (p *Pair) set(i int, w int32) {
	p.high[i], p.low[i] = int16(w>>lowBits), int16(w&lowMask)
}

// group is the number of taps that Along takes at once; a load of their pixels is
// excess bytes too long.
const (
	group  = 4
	excess = 4
)

// Filter is the weights of a number of output samples, each the sum of some taps.
type Filter struct {
	outputs int
	taps    int // of every output, a multiple of group; missing ones weigh 0
	starts  []int32
	counts  []int32 // taps of an output before padding
	weights []int32 // without padding
	pairs   []Pair
	reach   int
}

// Reset empties the filter, and prepares it for outputs of up to taps taps.
func (f *Filter) Reset(outputs, taps int) {
	f.outputs, f.taps, f.reach = outputs, max((taps+group-1)/group, 1)*group, 0
	f.starts, f.counts, f.weights = f.starts[:0], f.counts[:0], f.weights[:0]
	if n := outputs * f.taps / 2; cap(f.pairs) < n {
		f.pairs = make([]Pair, n)
	}
	f.pairs = f.pairs[:outputs*f.taps/2]
	clear(f.pairs)
}

// Add appends an output: weights, each from 0 to 1<<Bits and 1<<Bits together (give
// or take the rounding of each), of the pixels from start on.
func (f *Filter) Add(start int, weights []int32) {
	check(start >= 0 && len(weights) <= f.taps && len(f.starts) < f.outputs, "filter: too many taps or outputs")
	pairs := f.pairs[len(f.starts)*f.taps/2:]
	for k, w := range weights {
		pairs[k/2].set(k%2, w)
	}
	f.starts = append(f.starts, int32(3*start))
	f.counts = append(f.counts, int32(len(weights)))
	f.weights = append(f.weights, weights...)
	f.reach = max(f.reach, 3*(start+f.taps)+excess)
}

// Outputs is the number of outputs.
func (f *Filter) Outputs() int { return f.outputs }

// Reach is the number of bytes of a row of RGB pixels that are read.
func (f *Filter) Reach() int { return f.reach }

// LineStride is the distance in bytes between rows of resampled RGB pixels.
func (f *Filter) LineStride() int { return Stride(3*f.outputs + 2) }

// Weights returns the weights of output i: where their number is odd, followed by
// one of 0.
func (f *Filter) Weights(i int) []Pair {
	return f.pairs[i*f.taps/2:][:(f.counts[i]+1)/2]
}
