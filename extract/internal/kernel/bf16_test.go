package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"icebox/extract/internal/isa"
)

// hardware returns the assembly in bfloat16 to be compared with Portable.
func hardware(t *testing.T) isa.ISA {
	t.Helper()
	i := isa.Best(Available())
	if i == isa.Portable || !HasBF16(i) {
		t.Skip("no AVX512-BF16 in this build or on this machine: only the reference was run")
	}
	return i
}

// shorts returns n values in memory of a.
func shorts(t testing.TB, a alloc, n int) []uint16 {
	memory := a(t, (n+1)/2)
	return unsafe.Slice((*uint16)(unsafe.Pointer(&memory[0])), n)
}

// ranges are exponents that random floats are drawn from: all signs and fractions.
var ranges = map[string][2]uint32{
	"near 1":    {120, 134},
	"denormal":  {0, 1},
	"tiny":      {40, 90},   // products are about the least normal float
	"huge":      {185, 196}, // products are about the greatest
	"anything":  {0, 255},   // but infinities
	"infinite":  {250, 256},
	"all small": {0, 70},
}

// draw returns a random float of a range, and no NaN.
func draw(r *rand.Rand, exponents [2]uint32) float32 {
	bits := r.Uint32()&0x807fffff | (exponents[0]+r.Uint32N(exponents[1]-exponents[0]))<<23
	if bits&0x7f800000 == 0x7f800000 {
		bits &= 0xff800000
	}
	return math.Float32frombits(bits)
}

func TestBF16OfEveryBF16IsItself(t *testing.T) {
	for h := range 0x10000 {
		x := WidenBF16(uint16(h))
		got, want := BF16(x), uint16(h)
		switch {
		case x != x:
			want |= 0x40 // quiet
		case h&0x7f80 == 0:
			want &= 0x8000 // denormals become zero
		}
		if got != want {
			t.Fatalf("%#04x becomes %#04x, want %#04x", h, got, want)
		}
	}
}

func TestBF16IsTheNearest(t *testing.T) {
	for x, want := range map[float32]uint16{
		1 + 0x1p-8: 0x3f80, 1 + 0x3p-8: 0x3f82, 1 + 0x1.01p-8: 0x3f81, -1 - 0x1.01p-8: 0xbf81, // ties go to even
		math.MaxFloat32: 0x7f80, -math.MaxFloat32: 0xff80, 0x1.fep127: 0x7f7f,
		0x1p-126: 0x0080, 0x1.fffffcp-127: 0, -0x1p-127: 0x8000,
	} {
		if got := BF16(x); got != want {
			t.Errorf("%v becomes %#04x, want %#04x", x, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		x := draw(r, ranges["near 1"])
		far := math.Abs(float64(x) - float64(WidenBF16(BF16(x))))
		for _, step := range []uint16{1, 0xffff} {
			if d := math.Abs(float64(x) - float64(WidenBF16(BF16(x)+step))); d < far {
				t.Fatalf("%v becomes %v, but %v is nearer", x, WidenBF16(BF16(x)), WidenBF16(BF16(x)+step))
			}
		}
	}
}

func TestFlushedFMARoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for range 100_000 {
		a, b := WidenBF16(BF16(draw(r, ranges["near 1"]))), WidenBF16(BF16(draw(r, ranges["near 1"])))
		c := draw(r, [2]uint32{100, 150})
		exact := new(big.Float).SetPrec(200).Mul(big.NewFloat(float64(a)), big.NewFloat(float64(b)))
		want, _ := exact.Add(exact, big.NewFloat(float64(c))).Float32()
		if got := fmaFlushed(a, b, c); got != want {
			t.Fatalf("%x·%x + %x = %x, want %x", a, b, c, got, want)
		}
	}
}

// edges are a, b, c and a·b + c.
var edges = [][4]float32{
	{0x1p-76, -0x1.8p-75, 0x1p-126, 0},      // 2^-126 less ¾ of a unit
	{0x1p-76, -0x1p-75, 0x1p-126, 0x1p-126}, // less half a unit: a tie
	{0x1p-127, 0x1p100, 1, 1},               // a denormal counts as zero
	{1, 1, 0x1p-140, 1},
	{0x1p-63, 0x1p-64, 0x1p-126, 0x1.8p-126},
	{0x1p-63, -0x1p-64, 0x1p-126, 0}, // 2^-127
	{0x1p127, 0x1p127, 1, float32(math.Inf(1))},
	{0x1p64, -0x1p64, -1, float32(math.Inf(-1))},
	{1 + 0x1p-7, 0x1p-24, 1, 1 + 0x1p-23}, // just above a tie
}

func TestFlushedFMAAtTheEdges(t *testing.T) {
	for _, e := range edges {
		if got := fmaFlushed(e[0], e[1], e[2]); got != e[3] {
			t.Errorf("%x·%x + %x = %x, want %x", e[0], e[1], e[2], got, e[3])
		}
	}
	i := hardware(t)
	for _, e := range edges {
		g := GEMM{ABF16: make([]uint16, KStep), BF16: make([]uint16, KStep*Panel(i)), C: make([]float32, Panel(i)), LDA: KStep, LDC: Panel(i), Planes: 1, Rows: 1, Columns: Panel(i), K: KStep, Accumulate: true}
		g.ABF16[0], g.BF16[0], g.C[0] = uint16(math.Float32bits(e[0])>>16), uint16(math.Float32bits(e[1])>>16), e[2]
		g.Run(i)
		if g.C[0] != e[3] {
			t.Errorf("this processor: %x·%x + %x = %x, want %x", e[0], e[1], e[2], g.C[0], e[3])
		}
	}
}

// runBF16 fills the case with values of a range and returns C.
func (c gemmCase) runBF16(t testing.TB, i isa.ISA, a alloc, exponents [2]uint32) []float32 {
	g := GEMM{
		LDA: c.k + 3, LDC: c.columns + 5, Planes: c.planes, Rows: c.rows, Columns: c.columns, K: c.k, Accumulate: c.accumulate,
	}
	g.APlane, g.CPlane = c.rows*g.LDA+7, c.rows*g.LDC+9
	r := rand.New(rand.NewPCG(3, uint64(c.rows)))
	g.ABF16 = shorts(t, a, (c.planes-1)*g.APlane+(c.rows-1)*g.LDA+c.k)
	for n := range g.ABF16 {
		g.ABF16[n] = uint16(math.Float32bits(draw(r, exponents)) >> 16)
	}
	g.BF16 = shorts(t, a, c.planes*c.k*c.columns)
	panel := Panel(i)
	for n := range g.BF16 {
		p, k, column := n/(c.k*c.columns), n/c.columns%c.k, n%c.columns
		at := p*c.k*c.columns + column/panel*panel*c.k + k/2*2*panel + column%panel*2 + k%2
		g.BF16[at] = uint16(math.Float32bits(draw(r, exponents)) >> 16)
	}
	g.C = a(t, (c.planes-1)*g.CPlane+(c.rows-1)*g.LDC+c.columns)
	for n := range g.C {
		g.C[n] = draw(r, exponents)
	}
	g.Run(i)
	return g.C
}

// sameBits fails unless got is want bit by bit. Where a sum of infinities is not a
// number, any other that is not a number will do.
func sameBits(t *testing.T, got, want []float32) {
	t.Helper()
	for i := range want {
		if g, w := math.Float32bits(got[i]), math.Float32bits(want[i]); g != w && (got[i] == got[i] || want[i] == want[i]) {
			t.Fatalf("value %d: %#08x (%v), want %#08x (%v)", i, g, got[i], w, want[i])
		}
	}
}

func TestBF16GEMMIsTheReferenceBitByBit(t *testing.T) {
	i := hardware(t)
	for name, exponents := range ranges {
		for _, c := range gemmCases() {
			if c.half {
				continue
			}
			t.Run(fmt.Sprintf("%s/%+v", name, c), func(t *testing.T) {
				want := c.runBF16(t, isa.Portable, heap, exponents)
				for _, a := range placements {
					sameBits(t, c.runBF16(t, i, a, exponents), want)
				}
			})
		}
	}
}

func TestBF16GEMMIsWithinTheRoundingOfKSteps(t *testing.T) {
	const rows, k, columns = 5, 36, 64
	r := rand.New(rand.NewPCG(4, 1))
	for _, i := range Available() {
		if !HasBF16(i) {
			continue
		}
		g := GEMM{ABF16: make([]uint16, rows*k), BF16: make([]uint16, k*columns), C: make([]float32, rows*columns), LDA: k, LDC: columns, Planes: 1, Rows: rows, Columns: columns, K: k}
		var a [rows][k]float64
		for n := range g.ABF16 {
			g.ABF16[n] = BF16(r.Float32()*2 - 1)
			a[n/k][n%k] = float64(WidenBF16(g.ABF16[n]))
		}
		var want [rows][columns]float64
		for n := range k * columns {
			x, y, panel := n/columns, n%columns, Panel(i)
			v := BF16(r.Float32()*2 - 1)
			g.BF16[y/panel*panel*k+x/2*2*panel+y%panel*2+x%2] = v
			for row := range rows {
				want[row][y] += a[row][x] * float64(WidenBF16(v))
			}
		}
		g.Run(i)
		for n, got := range g.C {
			if d := math.Abs(float64(got) - want[n/columns][n%columns]); !(d <= k*k/0x1p24) {
				t.Fatalf("%s: C[%d] = %v, want %v", i, n, got, want[n/columns][n%columns])
			}
		}
	}
}

// runBF16 runs the case with planes in bfloat16.
func (c inputCase) runBF16(t testing.TB, i isa.ISA, a alloc) []uint16 {
	in := c.build(t, a)
	in.BF16, in.Dst = shorts(t, a, len(in.Dst)), nil
	in.Run(i)
	return in.BF16
}

func widened(h []uint16) []float32 {
	x := make([]float32, len(h))
	for i, v := range h {
		x[i] = WidenBF16(v)
	}
	return x
}

// near16 fails unless got is want but for the rounding to bfloat16 and for tol.
func near16(t *testing.T, got []uint16, want []float32, tol float64) {
	t.Helper()
	for i, x := range widened(got) {
		if d := math.Abs(float64(x) - float64(want[i])); !(d <= tol+math.Abs(float64(want[i]))/256) {
			t.Fatalf("value %d: got %v, want %v", i, x, want[i])
		}
	}
}

func TestBF16InputIsNearPortable(t *testing.T) {
	i := hardware(t)
	for _, c := range inputCases() {
		if c.scheme.shape().inputs.bf16 {
			in := c.build(t, heap)
			clear(in.Dst)
			in.Run(isa.Portable)
			for _, a := range placements {
				near16(t, c.runBF16(t, i, a), in.Dst, c.scheme.tolerance(false))
			}
		}
	}
}

func TestBF16InputIsTheRoundedInput(t *testing.T) {
	for _, i := range Available() {
		for _, c := range inputCases() {
			if s := c.scheme.shape(); !HasBF16(i) || !s.runs(i, false) || !s.runs(i, true) {
				continue
			}
			in := c.build(t, heap)
			clear(in.Dst)
			in.Run(i)
			want := make([]uint16, len(in.Dst))
			for n, x := range in.Dst {
				want[n] = BF16(x)
			}
			for _, a := range placements {
				if !slices.Equal(c.runBF16(t, i, a), want) {
					t.Errorf("%s/%+v: other planes", i, c)
				}
			}
		}
	}
}

// The scheme of one point passes values on as they are, so that the conversion alone is
// seen.
func TestBF16ConversionIsTheReferenceBitByBit(t *testing.T) {
	i := hardware(t)
	r := rand.New(rand.NewPCG(5, 1))
	for name, exponents := range ranges {
		c := inputCase{F13S2, 5, 64}
		in := c.build(t, heap)
		for n := range in.Src {
			in.Src[n] = draw(r, exponents)
		}
		in.BF16, in.Dst = make([]uint16, len(in.Dst)), nil
		want := in
		want.BF16 = make([]uint16, len(in.BF16))
		in.Run(i)
		want.Run(isa.Portable)
		if !slices.Equal(in.BF16, want.BF16) {
			t.Errorf("%s: other values", name)
		}
	}
}

func TestBF16PeakIsThatOfAssembly(t *testing.T) {
	for _, i := range Available() {
		if peak := Peak(i, true); (peak > 0) != (i != isa.Portable && HasBF16(i)) {
			t.Errorf("%s: %v operations a second", i, peak)
		}
	}
}
