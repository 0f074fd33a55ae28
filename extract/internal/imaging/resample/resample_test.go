package resample

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"icebox/extract/internal/guard"
	"icebox/extract/internal/isa"
)

// assembly returns the implementations to be compared with Portable.
func assembly(t *testing.T) []isa.ISA {
	all := Available()[1:]
	if len(all) == 0 {
		t.Skip("no assembly in this build or on this machine")
	}
	return all
}

// placed copies b to memory that ends (or, with head, begins) at a page that may not
// be touched.
func placed[T any](t testing.TB, s []T, head bool) []T {
	p := guard.Slice[T](t, len(s), head)
	copy(p, s)
	return p
}

func noise(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		// Both ends of the range are frequent, to try the largest sums.
		b[i] = byte(min(max(r.IntN(400)-72, 0), 255))
	}
	return b
}

// weightsOf returns n random weights that add up to 1<<Bits.
func weightsOf(r *rand.Rand, n int) []int32 {
	w, left := make([]int32, n), int32(1<<Bits)
	for i := range n - 1 {
		w[i] = r.Int32N(left/2 + 1)
		left -= w[i]
	}
	w[n-1] = left
	r.Shuffle(n, func(i, j int) { w[i], w[j] = w[j], w[i] })
	return w
}

// filterOf makes a filter of random weights and starts below span.
func filterOf(seed uint64, outputs, taps, span int) *Filter {
	r := rand.New(rand.NewPCG(seed, 2))
	f := new(Filter)
	f.Reset(outputs, taps)
	for i := range outputs {
		start := r.IntN(span)
		if i == outputs/2 {
			start = span - 1
		}
		f.Add(start, weightsOf(r, 1+r.IntN(taps)))
	}
	return f
}

func TestAlongEqualsPortable(t *testing.T) {
	for _, on := range assembly(t) {
		for taps := 1; taps <= 30; taps++ {
			f := filterOf(uint64(taps), 2*(1+taps%9), taps, 1+taps%5*7)
			stride := f.Reach() + taps%3*5
			src := noise((Rows-1)*stride+f.Reach(), uint64(taps))
			want := make([]byte, Rows*f.LineStride())
			Along(isa.Portable, want, src, stride, f)
			for _, head := range []bool{true, false} {
				g := *f
				g.pairs, g.starts = placed(t, f.pairs, head), placed(t, f.starts, head)
				got := guard.Slice[byte](t, len(want), head)
				Along(on, got, placed(t, src, head), stride, &g)
				for r := range Rows {
					a, b := got[r*f.LineStride():][:3*f.Outputs()], want[r*f.LineStride():][:3*f.Outputs()]
					if !bytes.Equal(a, b) {
						t.Fatalf("%s, %d taps, row %d:\ngot  %d\nwant %d", on, taps, r, a, b)
					}
				}
			}
		}
	}
}

func TestAcrossEqualsPortable(t *testing.T) {
	for _, on := range assembly(t) {
		for rows := 1; rows <= 30; rows++ {
			r := rand.New(rand.NewPCG(uint64(rows), 3))
			width := Block * (1 + rows%6)
			src := noise(width*rows+rows%4, uint64(rows))
			var f Filter
			f.Reset(1, rows)
			f.Add(0, weightsOf(r, rows))
			weights, at := f.Weights(0), make([]int, (rows+1)/2*2)
			for k := range at {
				at[k] = min(k*width+rows%4, len(src)-width)
			}
			want := make([]byte, width)
			Across(isa.Portable, want, src, at, weights)
			for _, head := range []bool{true, false} {
				got := guard.Slice[byte](t, width, head)
				Across(on, got, placed(t, src, head), placed(t, at, head), placed(t, weights, head))
				if !bytes.Equal(got, want) {
					t.Fatalf("%s, %d rows:\ngot  %d\nwant %d", on, rows, got, want)
				}
			}
		}
	}
}

// Portable code is compared with the sums written out.
func TestPortableIsTheWeightedSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		taps := rapid.IntRange(1, 40).Draw(t, "taps")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 4))
		w := weightsOf(r, taps)
		var f Filter
		f.Reset(2, taps)
		f.Add(0, w)
		f.Add(1, w)
		src := noise((Rows-1)*Stride(f.Reach())+f.Reach(), r.Uint64())
		dst := make([]byte, Rows*f.LineStride())
		Along(isa.Portable, dst, src, Stride(f.Reach()), &f)
		for row := range Rows {
			for i := range 6 {
				if got, want := dst[row*f.LineStride()+i], weighted(src[row*Stride(f.Reach())+i:], 3, w); got != want {
					t.Fatalf("along, row %d, sample %d: got %d, want %d", row, i, got, want)
				}
			}
		}
		tall, at := noise(Block*(taps+1), r.Uint64()), make([]int, (taps+1)/2*2)
		for k := range at {
			at[k] = k * Block
		}
		Across(isa.Portable, dst[:Block], tall, at, f.Weights(0))
		for x := range Block {
			if got, want := dst[x], weighted(tall[x:], Block, w); got != want {
				t.Fatalf("across, column %d: got %d, want %d", x, got, want)
			}
		}
	})
}

func weighted(src []byte, step int, weights []int32) byte {
	sum := 1 << (Bits - 1)
	for k, w := range weights {
		sum += int(src[k*step]) * int(w)
	}
	return byte(sum >> Bits)
}

// A caller's mistake must not make the assembly read or write outside its slices.
func TestShortMemoryIsRefused(t *testing.T) {
	f := filterOf(1, 4, 5, 9)
	stride := f.Reach()
	dst, src := make([]byte, Rows*f.LineStride()), make([]byte, Rows*stride)
	w := make([]Pair, 1)
	var unfinished Filter
	unfinished.Reset(4, 2)
	for name, call := range map[string]func(isa.ISA){
		"along: short dst":          func(i isa.ISA) { Along(i, dst[1:], src, stride, f) },
		"along: short src":          func(i isa.ISA) { Along(i, dst, src[1:], stride, f) },
		"along: unfinished filter":  func(i isa.ISA) { Along(i, dst, src, stride, &unfinished) },
		"across: half a block":      func(i isa.ISA) { Across(i, dst[:Block/2], src, []int{0, 0}, w) },
		"across: row beyond":        func(i isa.ISA) { Across(i, dst[:Block], src, []int{0, len(src) - Block + 1}, w) },
		"across: row before":        func(i isa.ISA) { Across(i, dst[:Block], src, []int{-1, 0}, w) },
		"across: more rows":         func(i isa.ISA) { Across(i, dst[:Block], src, []int{0, 0, 0}, w) },
		"filter: too many taps":     func(isa.ISA) { g := filterOf(1, 4, 5, 9); g.Reset(1, 1); g.Add(0, make([]int32, 5)) },
		"filter: too many outputs":  func(isa.ISA) { filterOf(1, 4, 5, 9).Add(0, make([]int32, 1)) },
		"filter: negative position": func(isa.ISA) { var g Filter; g.Reset(1, 1); g.Add(-1, make([]int32, 1)) },
	} {
		for _, on := range Available() {
			t.Run(fmt.Sprintf("%s/%s", on, name), func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("accepted")
					}
				}()
				call(on)
			})
		}
	}
}
