package kernel

import "unsafe"

// Lane is the number of float32 in the widest vector.
const Lane = 16

// Block is the number of rows whose logits are computed, and turned into
// gradients, at a time; and of features whose gradients are summed at a time.
const Block = 32

// ChunkRows is the number of consecutive batch rows whose gradient is summed
// by itself before it is added to the total.
const ChunkRows = 64

// ISA names one implementation of the kernels.
type ISA uint8

// The implementations, slowest first.
const (
	Portable ISA = iota
	AVX2
	AVX512
	NEON // of arm64
)

func (i ISA) String() string {
	switch i {
	case NEON:
		return "neon"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	default:
		return "portable"
	}
}

// Best returns the fastest implementation that this machine runs.
func Best() ISA {
	all := Available()
	return all[len(all)-1]
}

// RoundUp returns n rounded up to a multiple of Block.
func RoundUp(n int) int { return (n + Block - 1) / Block * Block }

// Stride returns the length of a row of d features, or of a class' weights on
// them with the bias behind: it has room for whole blocks of features, and is
// an odd number of cache lines, so that rows spread over all sets of a cache.
func Stride(d int) int {
	n := (max(RoundUp(d), d+1) + Lane - 1) / Lane
	return (n | 1) * Lane
}

// AffineMap maps feature j to (x[j]-Mean[j])·Scale[j].
type AffineMap struct{ Mean, Scale []float32 }

// Affine writes dst[j] = ((x[j]-Mean[j])·Scale[j])·rowScale for each j of x.
// The values of ahead, as many as x has or none, are fetched into the cache for a later
// call, which doubles the speed at which rows at random places are read.
func (i ISA) Affine(dst, x []float32, m AffineMap, rowScale float32, ahead []float32) {
	n := len(x)
	check(len(dst) >= n && len(m.Mean) >= n && len(m.Scale) >= n, "kernel: affine: short slice")
	if len(ahead) < n {
		ahead = x
	}
	if n > 0 {
		i.affine(dst[:n], x, m, rowScale, ahead)
	}
}

// Transpose writes a block of rows, stride apart in x, by column:
// dst[j*Block+r] = x[r*stride+j] for the columns under RoundUp(cols).
func (i ISA) Transpose(dst, x []float32, stride, cols int) {
	n := RoundUp(cols)
	check(cols > 0 && stride >= n && len(x) >= (Block-1)*stride+n && len(dst) >= n*Block, "kernel: transpose: shape")
	i.transpose(dst, x, stride, n)
}

// Rows are a block of rows, wherever they lie. If they are Scaled, each has a factor.
type Rows struct {
	Row    [Block]*float32
	Scale  [Block]float32
	Scaled bool
}

func (r *Rows) scale(i int) float32 {
	if !r.Scaled {
		return 1
	}
	return r.Scale[i]
}

// Gather maps rows of d features as Affine does into dst, stride apart. What lies
// in dst between d and RoundUp(d) must be 0 and stays so.
func (i ISA) Gather(dst []float32, stride, d int, r *Rows, m AffineMap) {
	n := RoundUp(d)
	check(d > 0 && stride >= n && len(dst) >= (Block-1)*stride+n, "kernel: gather: shape")
	check(len(m.Mean) >= d && len(m.Scale) >= d, "kernel: gather: short map")
	for n, row := range r.Row {
		ahead := r.Row[min(n+gatherAhead, Block-1)]
		i.Affine(dst[n*stride:], unsafe.Slice(row, d), m, r.scale(n), unsafe.Slice(ahead, d))
	}
}

// gatherAhead is how many rows before its turn a row is fetched.
const gatherAhead = 3

// Forward writes the logits of a block of rows of d features, xStride apart in x,
// under the weights w of some classes, stride apart, with the bias at d:
//
//	s[l] = fma(x[r][f], w[c][f], s[l]) over features f = l, l+16, … in order
//
// where s[0] starts as the bias and the other 15 sums as 0. They are folded 8, 4, 2, 1
// apart:
//
//	z[c*Block+r] = (((s[0]+s[8])+(s[4]+s[12]))+…)+…
//
// Meanwhile the memory that ahead lists is fetched; ahead may be nil.
func (i ISA) Forward(z, x []float32, xStride int, w []float32, stride, d, cols int, ahead *Ahead) {
	check(d > 0 && cols >= 0 && stride > d && xStride >= d && len(x) >= (Block-1)*xStride+d, "kernel: forward: shape")
	check(len(z) >= cols*Block && len(w) >= cols*stride, "kernel: forward: short slice")
	if cols > 0 {
		i.forward(z, x, xStride, w, stride, d, cols, ahead)
	}
}

// GatherForward is Gather into x, whose rows are stride apart like the weights, and then
// Forward of x.
func (i ISA) GatherForward(z, x []float32, r *Rows, m AffineMap, w []float32, stride, d, cols int, ahead *Ahead) {
	n := RoundUp(d)
	check(d > 0 && cols >= 0 && stride > d && stride >= n && len(x) >= (Block-1)*stride+n, "kernel: gather forward: shape")
	check(len(z) >= cols*Block && len(w) >= cols*stride, "kernel: gather forward: short slice")
	check(len(m.Mean) >= d && len(m.Scale) >= d, "kernel: gather forward: short map")
	done := 0
	if cols > 0 {
		done = i.gatherForward(z, x, r, m, w, stride, d, cols, ahead)
	}
	if done == 0 {
		i.Gather(x, stride, d, r, m)
	}
	i.Forward(z[done*Block:], x, stride, w[done*stride:], stride, d, cols-done, ahead)
}

// Gradient adds to g[c*gStride+f], or to 0 if that is to be fresh, for Block
// features f of some classes c, the gradient over at most ChunkRows rows:
//
//	acc = 0; acc = fma(x[r*xStride+f], dz[r][c], acc) over rows r in order; g += acc
//
// dz is in blocks dzStride apart: row r of class c is at
// dz[r/Block*dzStride+c*Block+r%Block]. Meanwhile the memory that ahead lists is
// fetched; ahead may be nil.
func (i ISA) Gradient(g []float32, gStride int, x []float32, xStride int, dz []float32, dzStride, rows, cols int, fresh bool, ahead *Ahead) {
	check(rows >= 0 && rows <= ChunkRows && cols >= 0 && gStride >= Block && dzStride >= cols*Block, "kernel: gradient: shape")
	if rows == 0 || cols == 0 {
		return
	}
	last := (rows - 1) / Block * dzStride
	check(len(g) >= (cols-1)*gStride+Block && len(x) >= (rows-1)*xStride+Block && len(dz) >= last+cols*Block, "kernel: gradient: short slice")
	i.gradient(g, gStride, x, xStride, dz, dzStride, rows, cols, fresh, ahead)
}

// Bias adds to g[c*gStride], for some classes c, the sum of dz over some whole
// blocks of rows: lane r sums row r of each block in order, and the lanes are
// folded 16, 8, 4, 2, 1 apart.
func (i ISA) Bias(g []float32, gStride int, dz []float32, dzStride, blocks, cols int) {
	if blocks == 0 || cols == 0 {
		return
	}
	check(blocks > 0 && cols > 0 && gStride > 0 && dzStride >= cols*Block, "kernel: bias: shape")
	check(len(g) > (cols-1)*gStride && len(dz) >= (blocks-1)*dzStride+cols*Block, "kernel: bias: short slice")
	i.bias(g, gStride, dz, dzStride, blocks, cols)
}

// Sum adds n pieces of src, stride apart, in order, to dst, or to 0 if that is to be
// fresh; its length is a multiple of Lane.
func (i ISA) Sum(dst, src []float32, stride, n int, fresh bool) {
	check(len(dst)%Lane == 0 && stride >= 0 && n > 0 && len(src) >= (n-1)*stride+len(dst), "kernel: sum: lengths")
	if len(dst) > 0 {
		i.sum(dst, src, stride, n, fresh)
	}
}

// Lerp moves dst a share of the way towards src: dst += share·(src-dst).
// Lengths are equal and a multiple of Lane.
func (i ISA) Lerp(dst, src []float32, share float32) {
	check(len(dst) == len(src) && len(src)%Lane == 0, "kernel: lerp: lengths")
	if len(src) > 0 {
		i.lerp(dst, src, share)
	}
}

// Prefetch asks for values that will be wanted soon, and changes nothing.
func (i ISA) Prefetch(x []float32) {
	if len(x) > 0 {
		i.prefetch(x)
	}
}

// LossTable holds the factors of a loss, by class: see Softmax.
type LossTable struct {
	Soft, Hot, Spread []float32
	Total             float32 // the sum of Spread
}

// Judged is what Softmax computes of each row of a block.
type Judged struct {
	Loss, Sum [Block]float32 // Sum is that of exp(z-top) over the classes
	Best      [Block]int32   // the first class with the largest logit
}

// Softmax judges a block of logits, z[c*Block+r], for rows of the given labels.
// With top the largest logit of a row, y its label, and sums running over
// classes in order:
//
//	e[c] = exp(z[c]-top)    sum = Σ e[c]    log = ln(sum)
//	loss = Hot[y]·((top-z[y])+log) + (Total·log - Σ Spread[c]·(z[c]-top))
//
// z becomes e, or with learn the gradient of the loss:
//
//	(Soft[y]/sum)·e[c] - Spread[c], less Hot[y] for class y
func (i ISA) Softmax(z []float32, classes int, labels *[Block]int32, t *LossTable, out *Judged, learn bool) {
	check(classes > 0 && len(z) >= classes*Block, "kernel: softmax: short block")
	check(len(t.Soft) >= classes && len(t.Hot) >= classes && len(t.Spread) >= classes, "kernel: softmax: short table")
	for _, y := range labels {
		check(uint32(y) < uint32(classes), "kernel: softmax: label out of range")
	}
	i.softmax(z, classes, labels, t, out, learn)
}

// Peak does about `rounds` times 24 independent multiply-adds of a vector and
// nothing else, and returns how many operations that were.
func (i ISA) Peak(rounds int) (flops float64) { return i.peak(max(1, rounds)) }

// AdamStep holds the scalars of one Adam step; the order of its operations is
// that of adamPortable.
type AdamStep struct {
	L2      float32 // weight decay added to the gradient; 0 for AdamW
	Decay   float32 // factor on the weight before the step; 1 for Adam
	KeepM   float32 // 1-β₁
	Beta2   float32
	KeepV   float32 // 1-β₂
	InvRoot float32 // 1/√(1-β₂ᵗ)
	Eps     float32
	Rate    float32 // lr/(1-β₁ᵗ)
}

// Adam takes one step: w, and the moments m and v, under gradient g. Lengths
// are equal and a multiple of Lane.
func (i ISA) Adam(w, m, v, g []float32, s *AdamStep) {
	check(len(w)%Lane == 0 && len(m) == len(w) && len(v) == len(w) && len(g) == len(w), "kernel: adam: lengths")
	if len(w) > 0 {
		i.adam(w, m, v, g, s)
	}
}

// SGDStep holds the scalars of one step of gradient descent; the order of its
// operations is that of sgdPortable.
type SGDStep struct {
	L2       float32 // weight decay added to the gradient
	Momentum float32
	OfGrad   float32 // share of the gradient in the step: 1 with Nesterov, else 0
	OfBuffer float32 // share of the buffer: Momentum with Nesterov, else 1
	Rate     float32
}

// SGD takes one step: w and the momentum buffer m under gradient g. Lengths
// are equal and a multiple of Lane.
func (i ISA) SGD(w, m, g []float32, s *SGDStep) {
	check(len(w)%Lane == 0 && len(m) == len(w) && len(g) == len(w), "kernel: sgd: lengths")
	if len(w) > 0 {
		i.sgd(w, m, g, s)
	}
}

func check(ok bool, fault string) {
	if !ok {
		panic(fault)
	}
}
