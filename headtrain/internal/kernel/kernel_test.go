package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// vectors fills guarded memory with values of the kind training sees.
type vectors struct {
	t    testing.TB
	r    *rand.Rand
	head bool
}

func (v vectors) floats(n int) []float32 {
	s := guarded(v.t, n, v.head)
	for i := range s {
		s[i] = float32(v.r.NormFloat64())
		if v.r.IntN(8) == 0 {
			s[i] = 0
		}
	}
	return s
}

func (v vectors) positive(n int) []float32 {
	s := v.floats(n)
	for i := range s {
		s[i] *= s[i]
	}
	return s
}

func clone(s []float32) []float32 { return append([]float32(nil), s...) }

func copyOf(v vectors, s []float32) []float32 {
	c := guarded(v.t, len(s), v.head)
	copy(c, s)
	return c
}

// eachISA runs f for every assembly implementation, with guard pages behind
// and before the data.
func eachISA(t *testing.T, f func(t *testing.T, isa ISA, v vectors)) {
	for _, isa := range Available()[1:] {
		for _, head := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/head=%v", isa, head), func(t *testing.T) {
				f(t, isa, vectors{t, rand.New(rand.NewPCG(7, 8)), head})
			})
		}
	}
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		bothNaN := got[i] != got[i] && want[i] != want[i]
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !bothNaN {
			t.Fatalf("%s: value %d is %x, portable %x", what, i, got[i], want[i])
		}
	}
}

func TestAffineEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for n := 1; n <= 70; n++ {
			x, ahead, m := v.floats(n), v.floats(n), AffineMap{v.floats(n), v.floats(n)}
			got, want := v.floats(n), make([]float32, n)
			isa.Affine(got, x, m, 0.37, ahead)
			Portable.Affine(want, x, m, 0.37, nil)
			same(t, fmt.Sprint("affine ", n), got, want)
		}
	})
}

func TestTransposeEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, d := range []int{1, 31, 32, 33, 70} {
			stride := Stride(d)
			x := v.floats((Block-1)*stride + RoundUp(d))
			got, want := v.floats(RoundUp(d)*Block), make([]float32, RoundUp(d)*Block)
			isa.Transpose(got, x, stride, d)
			Portable.Transpose(want, x, stride, d)
			same(t, fmt.Sprint("transpose ", d), got, want)
		}
	})
}

// dims are numbers of features with every tail, and with several runs.
var dims = []int{1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 48, 100, 255, 256, 257, 512, 530}

func (v vectors) rows(d int) (r Rows, m AffineMap) {
	for i := range Block {
		r.Row[i], r.Scale[i] = &v.floats(d)[0], v.floats(1)[0]
	}
	r.Scaled = v.r.IntN(4) == 0
	return r, AffineMap{v.floats(d), v.floats(d)}
}

func TestGatherEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, d := range dims {
			stride := Stride(d)
			r, m := v.rows(d)
			got, want := make([]float32, Block*stride), make([]float32, Block*stride)
			isa.Gather(got, stride, d, &r, m)
			Portable.Gather(want, stride, d, &r, m)
			same(t, fmt.Sprint("rows of ", d), got, want)
		}
	})
}

func TestForwardEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, d := range dims {
			for cols := 1; cols <= 26; cols++ {
				stride, xStride := Stride(d), d+cols%3
				x, w := v.floats((Block-1)*xStride+d), v.floats((cols-1)*stride+stride)
				got, want := v.floats(cols*Block), make([]float32, cols*Block)
				isa.Forward(got, x, xStride, w, stride, d, cols, aheadOf(cols%4, x, w))
				Portable.Forward(want, x, xStride, w, stride, d, cols, nil)
				same(t, fmt.Sprint("forward ", d, cols), got, want)
			}
		}
	})
}

func TestGatherForwardEqualsGatherAndForwardBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, d := range dims {
			r, m := v.rows(d)
			for cols := 0; cols <= 26; cols += 1 + d%2 {
				stride := Stride(d)
				w, n := v.floats(cols*stride), (Block-1)*stride+RoundUp(d)
				got, want := v.floats(cols*Block), make([]float32, cols*Block)
				x, wantX := guarded(t, n, v.head), make([]float32, n)
				isa.GatherForward(got, x, &r, m, w, stride, d, cols, aheadOf(cols%4, w, w))
				Portable.Gather(wantX, stride, d, &r, m)
				Portable.Forward(want, wantX, stride, w, stride, d, cols, nil)
				same(t, fmt.Sprint("rows of ", d, cols), x, wantX)
				same(t, fmt.Sprint("logits ", d, cols), got, want)
			}
		}
	})
}

// What lies beside the features, which is the bias and the neighbour of a row, must not
// get into a sum.
func TestForwardIsTheSumOfProducts(t *testing.T) {
	for _, isa := range Available() {
		for _, d := range dims {
			v := vectors{t: t, r: rand.New(rand.NewPCG(1, uint64(d)))}
			const cols = 13
			stride := Stride(d)
			x, w, z := v.floats(Block*stride), v.floats(cols*stride), make([]float32, cols*Block)
			isa.Forward(z, x, stride, w, stride, d, cols, nil)
			for c := range cols {
				for r := range Block {
					want := float64(w[c*stride+d])
					for f := range d {
						want += float64(x[r*stride+f]) * float64(w[c*stride+f])
					}
					if got := float64(z[c*Block+r]); math.Abs(got-want) > 1e-4 {
						t.Fatalf("%v: logit %d of row %d of %d features is %v, want %v", isa, c, r, d, got, want)
					}
				}
			}
		}
	}
}

func TestGradientEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, rows := range []int{1, 2, 31, 32, 33, 63, 64} {
			for cols := 1; cols <= 26; cols++ {
				const xStride, gStride = Block + 5, Block + 3
				dzStride := cols*Block + 7
				x := v.floats((rows-1)*xStride + Block)
				dz := v.floats((rows-1)/Block*dzStride + cols*Block)
				g := v.floats((cols-1)*gStride + Block)
				want := clone(g)
				fresh := (rows+cols)%2 == 0
				if fresh {
					g[0] = float32(math.NaN()) // whatever was there
				}
				isa.Gradient(g, gStride, x, xStride, dz, dzStride, rows, cols, fresh, aheadOf(rows%4, x, dz))
				Portable.Gradient(want, gStride, x, xStride, dz, dzStride, rows, cols, fresh, nil)
				same(t, fmt.Sprint("gradient ", rows, cols), g, want)
			}
		}
	})
}

func TestBiasEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for blocks := 1; blocks <= 4; blocks++ {
			for cols := 1; cols <= 5; cols++ {
				dzStride := cols*Block + 3
				dz, g := v.floats((blocks-1)*dzStride+cols*Block), v.floats((cols-1)*9+1)
				want := clone(g)
				isa.Bias(g, 9, dz, dzStride, blocks, cols)
				Portable.Bias(want, 9, dz, dzStride, blocks, cols)
				same(t, fmt.Sprint("bias ", blocks, cols), g, want)
			}
		}
	})
}

func TestSumEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, n := range []int{16, 32, 80} {
			for pieces := 1; pieces <= 5; pieces++ {
				stride := n + 3*pieces
				dst, src := v.floats(n), v.floats((pieces-1)*stride+n)
				want, source := clone(dst), clone(src)
				fresh := pieces%2 == 0
				if fresh {
					dst[n-1] = float32(math.NaN())
				}
				isa.Sum(dst, src, stride, pieces, fresh)
				isa.Prefetch(src)
				Portable.Sum(want, src, stride, pieces, fresh)
				same(t, fmt.Sprint("sum ", n, pieces), dst, want)
				same(t, "summands", src, source)
			}
		}
	})
}

func TestLerpEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, n := range []int{16, 32, 48, 80} {
			for _, share := range []float32{0, 0.001, 0.3, 1} {
				dst, src := v.floats(n), v.floats(n)
				want, source := clone(dst), clone(src)
				isa.Lerp(dst, src, share)
				Portable.Lerp(want, src, share)
				same(t, fmt.Sprint("lerp ", n, share), dst, want)
				same(t, "source", src, source)
			}
		}
	})
}

func TestSoftmaxEqualsPortableBitForBit(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, k := range []int{1, 2, 3, 10, 17, 100} {
			for round := range 60 {
				z := v.floats(k * Block)
				for i := range z {
					z[i] *= float32(math.Ldexp(1, round%12))
				}
				for _, special := range []float32{-inf, inf, nan}[:min(3, round/15)] {
					z[v.r.IntN(len(z))] = special
				}
				table := &LossTable{v.floats(k), v.floats(k), v.floats(k), 0.3}
				var labels [Block]int32
				for r := range labels {
					labels[r] = v.r.Int32N(int32(k))
				}
				want := clone(z)
				var got, wanted Judged
				learn := round%3 > 0
				isa.Softmax(z, k, &labels, table, &got, learn)
				Portable.Softmax(want, k, &labels, table, &wanted, learn)
				same(t, "block", z, want)
				same(t, "loss", got.Loss[:], wanted.Loss[:])
				same(t, "sum", got.Sum[:], wanted.Sum[:])
				if got.Best != wanted.Best {
					t.Fatalf("best %v, portable %v", got.Best, wanted.Best)
				}
			}
		}
	})
}

func TestLogarithmIsExactToAUnit(t *testing.T) {
	for x := float32(1); x < 20000; x += x / 1000 {
		want := math.Log(float64(x))
		if got := log32(x); math.Abs(float64(got)-want) > 1.2e-7*want {
			t.Fatalf("log32(%v) = %v, want %v", x, got, want)
		}
	}
	if nan := log32(float32(math.NaN())); nan == nan {
		t.Error("log32 of NaN is a number")
	}
}

func TestAdamEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, n := range []int{16, 32, 48, 256} {
			step := &AdamStep{L2: 0.01, Decay: 0.999, KeepM: 0.1, Beta2: 0.999, KeepV: 0.001, InvRoot: 3, Eps: 1e-8, Rate: 0.01}
			w, m, s, g := v.floats(n), v.floats(n), v.positive(n), v.floats(n)
			w2, m2, s2 := copyOf(v, w), copyOf(v, m), copyOf(v, s)
			isa.Adam(w, m, s, g, step)
			Portable.Adam(w2, m2, s2, g, step)
			same(t, "w", w, w2)
			same(t, "m", m, m2)
			same(t, "v", s, s2)
		}
	})
}

func TestSGDEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, n := range []int{16, 32, 48, 256} {
			step := &SGDStep{L2: 0.01, Momentum: 0.9, OfGrad: 1, OfBuffer: 0.9, Rate: 0.1}
			w, m, g := v.floats(n), v.floats(n), v.floats(n)
			w2, m2 := copyOf(v, w), copyOf(v, m)
			isa.SGD(w, m, g, step)
			Portable.SGD(w2, m2, g, step)
			same(t, "w", w, w2)
			same(t, "m", m, m2)
		}
	})
}

// A zero row of parameters under a zero gradient stays zero, which is what
// keeps the padding of a tile out of every sum.
func TestStepsKeepPaddingZero(t *testing.T) {
	zero := make([]float32, Lane)
	for _, isa := range Available() {
		w, m, v := make([]float32, Lane), make([]float32, Lane), make([]float32, Lane)
		isa.Adam(w, m, v, zero, &AdamStep{L2: 1, Decay: 0.9, KeepM: 0.1, Beta2: 0.9, KeepV: 0.1, InvRoot: 2, Eps: 1e-8, Rate: 1})
		same(t, "adam", w, zero)
		isa.Lerp(w, zero, 0.3)
		same(t, "lerp", w, zero)
		isa.SGD(w, m, zero, &SGDStep{L2: 1, Momentum: 0.9, OfGrad: 1, OfBuffer: 0.9, Rate: 1})
		same(t, "sgd", w, zero)
	}
}

func TestWrongShapesPanicInsteadOfStraying(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	var labels [Block]int32
	labels[31] = 2
	for name, f := range map[string]func(){
		"short weights": func() { Best().Forward(f(64), f(64), 2, f(8), 16, 2, 2, nil) },
		"short block":   func() { Best().Forward(f(63), f(64), 2, f(32), 16, 2, 2, nil) },
		"short rows":    func() { Best().Forward(f(64), f(63), 2, f(32), 16, 2, 2, nil) },
		"no room for rows": func() {
			Best().GatherForward(f(64), f(31), new(Rows), AffineMap{f(2), f(2)}, f(64), 32, 2, 2, nil)
		},
		"many rows":      func() { Best().Gradient(f(32), 32, f(9999), 32, f(9999), 32, ChunkRows+1, 1, false, nil) },
		"short gradient": func() { Best().Gradient(f(31), 32, f(9999), 32, f(9999), 32, 3, 1, true, nil) },
		"short dz":       func() { Best().Bias(f(32), 1, f(63), 32, 2, 1) },
		"narrow rows":    func() { Best().Transpose(f(9999), f(9999), 16, 17) },
		"label":          func() { Best().Softmax(f(64), 2, &labels, &LossTable{f(2), f(2), f(2), 0}, new(Judged), true) },
		"short summands": func() { Best().Sum(f(16), f(31), 16, 2, true) },
		"unequal means":  func() { Best().Lerp(f(16), f(32), 1) },
		"ragged means":   func() { Best().Lerp(f(17), f(17), 1) },
		"short moments":  func() { Best().Adam(f(16), nil, nil, nil, &AdamStep{}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestPeakCountsItsOperations(t *testing.T) {
	for _, isa := range Available() {
		if one, two := isa.Peak(1), isa.Peak(2); one <= 0 || two != 2*one {
			t.Errorf("%v: %v and %v operations in 1 and 2 rounds", isa, one, two)
		}
	}
}

// aheadOf lists n times all of the given memory.
func aheadOf(n int, of ...[]float32) *Ahead {
	var a Ahead
	for range n {
		for _, x := range of {
			a.Add(x)
		}
	}
	return &a
}
