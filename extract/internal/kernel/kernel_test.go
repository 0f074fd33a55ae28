package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"icebox/extract/internal/guard"
	"icebox/extract/internal/isa"
)

// alloc returns n floats; the tests run each kernel with several of them.
type alloc func(t testing.TB, n int) []float32

// placements put slices against pages that may not be touched, at either end.
var placements = map[string]alloc{
	"head": func(t testing.TB, n int) []float32 { return guard.Slice[float32](t, n, true) },
	"tail": func(t testing.TB, n int) []float32 { return guard.Slice[float32](t, n, false) },
}

// filled returns random values in [-1, 1).
func filled(x []float32, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range x {
		x[i] = r.Float32()*2 - 1
	}
	return x
}

// assembly returns the implementations to be compared with Portable.
func assembly(t *testing.T) []isa.ISA {
	all := Available()[1:]
	if len(all) == 0 {
		t.Skip("no assembly in this build or on this machine")
	}
	return all
}

// near fails unless got is within tol of want everywhere.
func near(t *testing.T, got, want []float32, tol float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tol) {
			t.Fatalf("value %d: got %v, want %v ± %v", i, got[i], want[i], tol)
		}
	}
}

// tolerance bounds the rounding of a transform of values in [-1, 1]: its largest
// value, times half a unit in the last place for each step of two dimensions.
func (s Scheme) tolerance(output bool) float64 {
	rows := s.shape().at
	if !output {
		rows = s.shape().phases[0].bt
	}
	most := 0.0
	for _, row := range rows {
		sum := 0.0
		for _, x := range row {
			sum += math.Abs(float64(x))
		}
		most = max(most, sum)
	}
	return most * most * float64(2*s.shape().points) / (1 << 24)
}

// pack lays out B, row-major K × columns a plane, in panels.
func pack(dst, b []float32, planes, k, columns, panel int) []float32 {
	for p := range planes {
		for r := range k {
			for c := range columns {
				dst[p*k*columns+c/panel*panel*k+r*panel+c%panel] = b[(p*k+r)*columns+c]
			}
		}
	}
	return dst
}

// gemmCase is a product with strides that leave gaps.
type gemmCase struct {
	rows, k, columns, planes int
	accumulate, half         bool
}

func gemmCases() []gemmCase {
	var all []gemmCase
	for rows := 1; rows <= 30; rows++ {
		c := gemmCase{rows, 4 * (1 + rows%5), 32 * (1 + rows%3), 1 + rows%2, rows%4 < 2, false}
		all = append(all, c)
		c.half = true
		all = append(all, c)
	}
	return append(all, gemmCase{14, 256, 64, 3, true, false}, gemmCase{49, 12, 64, 2, false, false}, gemmCase{144, 8, 32, 1, true, false},
		gemmCase{5, 264, 32, 2, true, true})
}

// run builds the case anew and returns C.
func (c gemmCase) run(t testing.TB, i isa.ISA, a alloc) []float32 {
	g := GEMM{
		LDA: c.k + 3, LDC: c.columns + 5, Planes: c.planes, Rows: c.rows, Columns: c.columns, K: c.k, Accumulate: c.accumulate,
	}
	g.APlane, g.CPlane = c.rows*g.LDA+7, c.rows*g.LDC+9
	g.A = filled(a(t, (c.planes-1)*g.APlane+(c.rows-1)*g.LDA+c.k), 1)
	b := c.b()
	if c.half {
		g.Half = halves(t, a, pack(make([]float32, len(b)), b, c.planes, c.k, c.columns, Panel(i)))
	} else {
		g.B = pack(a(t, len(b)), b, c.planes, c.k, c.columns, Panel(i))
	}
	g.C = filled(a(t, (c.planes-1)*g.CPlane+(c.rows-1)*g.LDC+c.columns), 3)
	g.Run(i)
	return g.C
}

// b returns B, row-major.
func (c gemmCase) b() []float32 {
	b := filled(make([]float32, c.planes*c.k*c.columns), 2)
	for i := range b {
		if c.half {
			b[i] = Widen(Half(b[i]))
		}
	}
	return b
}

// halves returns x, of halves widened, as halves in memory of a.
func halves(t testing.TB, a alloc, x []float32) []uint16 {
	memory := a(t, (len(x)+1)/2)
	h := unsafe.Slice((*uint16)(unsafe.Pointer(&memory[0])), len(x))
	for i, v := range x {
		h[i] = Half(v)
	}
	return h
}

// exact computes the case in float64.
func (c gemmCase) exact() []float64 {
	lda, ldc := c.k+3, c.columns+5
	aPlane, cPlane := c.rows*lda+7, c.rows*ldc+9
	a := filled(make([]float32, (c.planes-1)*aPlane+(c.rows-1)*lda+c.k), 1)
	b := c.b()
	out := filled(make([]float32, (c.planes-1)*cPlane+(c.rows-1)*ldc+c.columns), 3)
	want := make([]float64, len(out))
	for i, x := range out {
		want[i] = float64(x)
	}
	for p := range c.planes {
		for r := range c.rows {
			for n := range c.columns {
				sum := want[p*cPlane+r*ldc+n]
				if !c.accumulate {
					sum = 0
				}
				for k := range c.k {
					sum += float64(a[p*aPlane+r*lda+k]) * float64(b[(p*c.k+k)*c.columns+n])
				}
				want[p*cPlane+r*ldc+n] = sum
			}
		}
	}
	return want
}

func TestGEMMIsWithinTheRoundingOfKSteps(t *testing.T) {
	for _, c := range gemmCases() {
		want := c.exact()
		for _, i := range Available() {
			t.Run(fmt.Sprintf("%s/%+v", i, c), func(t *testing.T) {
				for _, a := range placements {
					got := c.run(t, i, a)
					tol := float64(c.k+1) * float64(c.k+1) / (1 << 24) // k+1 roundings of sums below k+1
					for n := range want {
						if d := math.Abs(float64(got[n]) - want[n]); !(d <= tol) {
							t.Fatalf("C[%d] = %v, want %v ± %v", n, got[n], want[n], tol)
						}
					}
				}
			})
		}
	}
}

func TestGEMMOfTwoBlocksOfKEqualsOne(t *testing.T) {
	for _, i := range Available() {
		const rows, k, columns = 17, 32, 32
		a, b := filled(make([]float32, rows*k), 1), filled(make([]float32, k*columns), 2)
		whole := GEMM{A: a, LDA: k, B: pack(make([]float32, len(b)), b, 1, k, columns, Panel(i)), C: make([]float32, rows*columns), LDC: columns, Planes: 1, Rows: rows, Columns: columns, K: k}
		whole.Run(i)
		half := whole
		half.C, half.K = make([]float32, rows*columns), k/2
		for n := range 2 {
			half.A, half.Accumulate = a[n*k/2:], n > 0
			part := b[n*k/2*columns:][:k/2*columns]
			half.B = pack(make([]float32, len(part)), part, 1, k/2, columns, Panel(i))
			half.Run(i)
		}
		if d := cmp.Diff(whole.C, half.C); d != "" {
			t.Errorf("%s: %s", i, d)
		}
	}
}

// inputCase is a run of tiles.
type inputCase struct {
	scheme          Scheme
	tiles, channels int
}

// inputCases are cases of every scheme; see shape.runs.
func inputCases() []inputCase {
	var all []inputCase
	for s := range schemes {
		for _, tiles := range []int{1, 2, 5} {
			for _, channels := range []int{16, 48, 64} {
				all = append(all, inputCase{s, tiles, channels})
			}
		}
	}
	return all
}

// build lays the run out with gaps.
func (c inputCase) build(t testing.TB, a alloc) Input {
	s := c.scheme.shape()
	in := Input{Scheme: c.scheme, Pixel: c.channels + 8, Tiles: c.tiles, Channels: c.channels, Scratch: a(t, ScratchLen)}
	in.Row = ((c.tiles-1)*s.step()+s.size())*in.Pixel + 3
	in.Width = len(s.phases) * len(s.phases) * c.channels
	in.Plane = in.Width*c.tiles + 5
	in.Src = filled(a(t, (c.tiles-1)*s.step()*in.Pixel+(s.size()-1)*(in.Row+in.Pixel)+c.channels), 4)
	in.Dst = filled(a(t, (c.scheme.Planes()-1)*in.Plane+(c.tiles-1)*in.Width+s.slots(s.points-1, s.points-1)*c.channels), 5)
	return in
}

func (c inputCase) run(t testing.TB, i isa.ISA, a alloc) []float32 {
	in := c.build(t, a)
	in.Run(i)
	return in.Dst
}

func TestInputEqualsPortable(t *testing.T) {
	for _, c := range inputCases() {
		want := c.run(t, isa.Portable, placements["tail"])
		for _, i := range assembly(t) {
			if !c.scheme.shape().runs(i, false) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%+v", i, c), func(t *testing.T) {
				for _, a := range placements {
					near(t, c.run(t, i, a), want, c.scheme.tolerance(false))
				}
			})
		}
	}
}

// outputCase is a run of tiles, the last cut short.
type outputCase struct {
	scheme            Scheme
	tiles, channels   int
	rows, lastColumns int
	residual          bool
}

func outputCases() []outputCase {
	var all []outputCase
	for s := range schemes {
		n := s.Outputs()
		for rows := 1; rows <= n; rows++ {
			for columns := 1; columns <= n; columns++ {
				c := outputCase{s, 1 + (rows+columns)%3, 16 * (1 + columns%4), rows, columns, false}
				all = append(all, c)
				if s.shape().residual {
					c.residual = true
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// build lays the run out with gaps.
func (c outputCase) build(t testing.TB, a alloc) Output {
	s := c.scheme.shape()
	out := Output{
		Scheme: c.scheme, Plane: c.tiles*c.channels + 5, Bias: filled(a(t, c.channels), 6), Pixel: c.channels + 8,
		Tiles: c.tiles, Channels: c.channels, Rows: c.rows, LastColumns: c.lastColumns, Residual: c.residual, Scratch: a(t, ScratchLen),
	}
	out.Row = c.tiles*s.outputs*out.Pixel + 3
	out.M = filled(a(t, (c.scheme.Planes()-1)*out.Plane+c.tiles*c.channels), 7)
	out.Dst = filled(a(t, ((c.tiles-1)*s.outputs+c.lastColumns-1)*out.Pixel+(c.rows-1)*out.Row+c.channels), 8)
	return out
}

func (c outputCase) run(t testing.TB, i isa.ISA, a alloc) []float32 {
	out := c.build(t, a)
	out.Run(i)
	return out.Dst
}

func TestOutputEqualsPortable(t *testing.T) {
	for _, c := range outputCases() {
		want := c.run(t, isa.Portable, placements["tail"])
		for _, i := range assembly(t) {
			if s := c.scheme.shape(); !s.runs(i, !s.inputs.float) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%+v", i, c), func(t *testing.T) {
				for _, a := range placements {
					near(t, c.run(t, i, a), want, c.scheme.tolerance(true))
				}
			})
		}
	}
}

// poolRun pools a strip with gaps between pixels and rows.
func poolRun(t testing.TB, i isa.ISA, pixels, channels int, a alloc) []float32 {
	p := Pool{Pixel: channels + 4, Pixels: pixels, Channels: channels}
	p.Row = (2*pixels+1)*p.Pixel + 3
	p.Src = filled(a(t, 2*pixels*p.Pixel+2*p.Row+channels), 9)
	p.Dst = a(t, pixels*channels)
	p.Run(i)
	return p.Dst
}

func TestMaxPoolEqualsPortable(t *testing.T) {
	for pixels := 1; pixels <= 5; pixels++ {
		for channels := Lane; channels <= 5*Lane; channels += Lane {
			want := poolRun(t, isa.Portable, pixels, channels, placements["tail"])
			for _, i := range assembly(t) {
				for _, a := range placements {
					if d := cmp.Diff(poolRun(t, i, pixels, channels, a), want); d != "" {
						t.Errorf("%s %d×%d: %s", i, pixels, channels, d)
					}
				}
			}
		}
	}
}

// assemblyBits is the SHA-256 of the results of all cases, as AVX2, AVX-512 and NEON compute them.
const assemblyBits = "d1c3369da1b9e20e3427ea80c2d68201cbc8aaa0621e839bc2f45618a16ea7fd"

// Assembly gives the same bits whatever the width of its vectors, on any machine.
func TestAssemblyGivesTheSameBitsEverywhere(t *testing.T) {
	tail := placements["tail"]
	for _, i := range assembly(t) {
		sum := sha256.New()
		add := func(x []float32) { must(t, binary.Write(sum, binary.LittleEndian, x)) }
		for _, c := range gemmCases() {
			add(c.run(t, i, tail))
		}
		for _, c := range inputCases() {
			if c.scheme.shape().inputs.float {
				add(c.run(t, i, tail))
			}
		}
		for _, c := range outputCases() {
			if c.scheme.shape().inputs.float {
				add(c.run(t, i, tail))
			}
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != assemblyBits {
			t.Errorf("%s: the bits have the sum %s, want %s", i, got, assemblyBits)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
