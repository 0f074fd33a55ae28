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

func (v vectors) matrix(rows, cols, stride int) Matrix {
	return Matrix{Data: v.floats((rows-1)*stride + max(cols, stride)), Rows: rows, Cols: cols, Stride: stride}
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

func TestForwardEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, rows := range []int{16, 32, 48} {
			for _, d := range []int{1, 2, 3, 15, 16, 17, 31, 40} {
				for _, cols := range []int{16, 32, 64} {
					x, params := v.matrix(rows, d, Rows(d)+5), v.floats(ParamLen(d, cols))
					got, want := v.matrix(rows, cols, cols+3), v.matrix(rows, cols, cols+3)
					copy(got.Data, want.Data) // the gap between rows must stay
					isa.Forward(got, x, params)
					Portable.Forward(want, x, params)
					same(t, fmt.Sprint("forward ", rows, d, cols), got.Data, want.Data)
				}
			}
		}
	})
}

func TestGradientEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for rows := 1; rows <= 3*ChunkRows+1; rows++ {
			for _, at := range [][2]int{{0, 0}, {16, 0}, {3, 16}} {
				x, dz := v.matrix(rows, 32, 32), v.matrix(rows, 32, 32)
				g := v.floats(Lane * Lane)
				want := clone(g)
				isa.Gradient(g, x, dz, at[0], at[1])
				Portable.Gradient(want, x, dz, at[0], at[1])
				same(t, fmt.Sprint("gradient ", rows, at), g, want)
			}
		}
	})
}

func TestExpEqualsPortableBitForBit(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, cols := range []int{16, 32, 48, 112} {
			for round := range 40 {
				rows := 1 + round%5
				z := v.matrix(rows, cols, cols+round%3)
				for i := range z.Data {
					z.Data[i] *= float32(math.Ldexp(1, round%12))
				}
				for _, special := range []float32{-inf, inf, nan}[:min(3, round/10)] {
					z.Row(v.r.IntN(rows))[v.r.IntN(cols)] = special
				}
				got, want := v.matrix(rows, cols, cols), v.matrix(rows, cols, cols)
				top, sum := v.floats(rows), v.floats(rows)
				wantTop, wantSum := clone(top), clone(sum)
				isa.Exp(got, z, top, sum)
				Portable.Exp(want, z, wantTop, wantSum)
				same(t, "exp", got.Data, want.Data)
				same(t, "top", top, wantTop)
				same(t, "sum", sum, wantSum)
			}
		}
	})
}

func TestResidualEqualsPortableBitForBit(t *testing.T) {
	eachISA(t, func(t *testing.T, isa ISA, v vectors) {
		for _, cols := range []int{16, 48} {
			for rows := 1; rows < 6; rows++ {
				e, a, q := v.matrix(rows, cols, cols+2), v.floats(rows), v.floats(cols)
				want := e
				want.Data = clone(e.Data)
				isa.Residual(e, a, q)
				Portable.Residual(want, a, q)
				same(t, "residual", e.Data, want.Data)
			}
		}
	})
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
		isa.SGD(w, m, zero, &SGDStep{L2: 1, Momentum: 0.9, OfGrad: 1, OfBuffer: 0.9, Rate: 1})
		same(t, "sgd", w, zero)
	}
}

func TestWrongShapesPanicInsteadOfStraying(t *testing.T) {
	x := Matrix{Data: make([]float32, 64), Rows: 16, Cols: 4, Stride: 4}
	z := Matrix{Data: make([]float32, 256), Rows: 16, Cols: 16, Stride: 16}
	for name, f := range map[string]func(){
		"short params":  func() { Best().Forward(z, x, make([]float32, 8)) },
		"ragged rows":   func() { Best().Forward(z.Slice(0, 15), x.Slice(0, 15), make([]float32, 256)) },
		"matrix":        func() { x := x; x.Rows = 17; x.check() },
		"wide feature":  func() { Best().Gradient(make([]float32, 256), x, z, 0, 0) },
		"short moments": func() { Best().Adam(make([]float32, 16), nil, nil, nil, &AdamStep{}) },
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
