package kernel

import (
	"fmt"

	"icebox/extract/internal/isa"
)

// Panel is the number of columns of B that lie together (see [GEMM]).
func Panel(i isa.ISA) int {
	switch i {
	case isa.AVX512:
		return 32
	case isa.AVX2:
		return 16
	case isa.NEON:
		return 8
	default:
		return 4
	}
}

// Rows is the largest number of rows of A that are multiplied together.
func Rows(i isa.ISA) int {
	switch i {
	case isa.AVX512:
		return 14
	case isa.AVX2:
		return 6
	case isa.NEON:
		return 10
	default:
		return 4
	}
}

// Lane is the number that every count of channels is a multiple of.
const Lane = 16

// KStep is the number that every K is a multiple of.
const KStep = 4

// GEMM is C = A·B, or C += A·B, for each of a number of planes. A and C are
// row-major. B is cut into panels of [Panel] columns, each row-major by
// itself, one after the other, plane after plane. Where Half is not nil it is B, in
// half precision. Where BF16 is not nil it is B, and ABF16 is A, in bfloat16; rows of a
// panel then lie in pairs: [K/2][Panel][2]. See [HasBF16] and [Dot].
type GEMM struct {
	A, B, C        []float32
	Half           []uint16
	ABF16, BF16    []uint16
	LDA, LDC       int // values from row to row
	APlane, CPlane int // values from plane to plane
	Planes         int
	Rows, Columns  int // of C; Columns is a multiple of Panel
	K              int // a multiple of KStep
	Next           int // where the next call begins to read, in values from the beginning of B: it is fetched meanwhile; 0 means what follows B
	Accumulate     bool
}

// Run computes g.
func (g *GEMM) Run(i isa.ISA) {
	check(g.Planes > 0 && g.Rows > 0 && g.Columns > 0 && g.K > 0, "gemm: empty")
	check(g.K%KStep == 0 && g.Columns%Panel(i) == 0, "gemm: K or columns not a multiple")
	check(g.LDA >= g.K && g.LDC >= g.Columns && g.APlane >= 0 && g.CPlane >= 0, "gemm: stride")
	check(g.BF16 == nil || HasBF16(i), "gemm: no bfloat16")
	check((g.A == nil) == (g.BF16 != nil), "gemm: A of another type than B")
	check(max(len(g.A), len(g.ABF16)) >= (g.Planes-1)*g.APlane+(g.Rows-1)*g.LDA+g.K, "gemm: short A")
	check(len(g.B)+len(g.Half)+len(g.BF16) >= g.Planes*g.Columns*g.K && max(len(g.B), len(g.Half), len(g.BF16)) == len(g.B)+len(g.Half)+len(g.BF16), "gemm: short B, or two of them")
	check(len(g.C) >= (g.Planes-1)*g.CPlane+(g.Rows-1)*g.LDC+g.Columns, "gemm: short C")
	g.run(i)
}

// size is the number of bytes of a value of B.
func (g *GEMM) size() int {
	if g.Half != nil {
		return 2
	}
	return g.sizeA()
}

// sizeA is the number of bytes of a value of A.
func (g *GEMM) sizeA() int {
	if g.BF16 != nil {
		return 2
	}
	return 4
}

// ScratchLen is the length of the scratch that transforms need; it is best
// aligned to 64 bytes.
const ScratchLen = 81 * Lane

// Input is a run of tiles in a row of tiles of an image, on their way into the
// planes.
type Input struct {
	Scheme   Scheme
	Src      []float32 // from the first pixel of the first tile
	Pixel    int       // floats from pixel to pixel
	Row      int       // floats from pixel row to pixel row
	Dst      []float32 // from the row of the first tile in plane 0
	BF16     []uint16  // instead of Dst: values are rounded to bfloat16; see [HasBF16]
	Width    int       // values from tile to tile in a plane
	Plane    int       // values from plane to plane
	Tiles    int
	Channels int // a multiple of Lane
	Scratch  []float32
}

// Run transforms in.
func (in *Input) Run(i isa.ISA) {
	s := in.Scheme.shape()
	check(in.Tiles > 0 && in.Channels > 0 && in.Channels%Lane == 0, "input: empty or channels not a multiple")
	check(in.Pixel >= in.Channels && in.Row >= 0 && in.Width >= len(s.phases)*len(s.phases)*in.Channels, "input: stride")
	last := (in.Tiles-1)*s.step()*in.Pixel + (s.size()-1)*(in.Row+in.Pixel) + in.Channels
	check(len(in.Src) >= last, "input: short pixels")
	check((in.BF16 == nil) != (in.Dst == nil) && s.runs(i, in.BF16 != nil), "input: no such planes, or two kinds")
	check(max(len(in.Dst), len(in.BF16)) >= (s.points*s.points-1)*in.Plane+(in.Tiles-1)*in.Width+s.slots(s.points-1, s.points-1)*in.Channels, "input: short planes")
	check(in.Plane >= in.Tiles*in.Width && len(in.Scratch) >= ScratchLen, "input: plane or scratch")
	in.run(i)
}

// Output is a run of tiles on their way from the planes to a row of tiles of an
// image: pixel = max(transform + bias, 0), or max((transform + bias) + pixel, 0).
type Output struct {
	Scheme      Scheme
	M           []float32 // from the row of the first tile in plane 0; the rows follow each other
	Plane       int       // floats from plane to plane
	Bias        []float32
	Dst         []float32 // from the first pixel of the first tile
	Pixel       int       // floats from pixel to pixel
	Row         int       // floats from pixel row to pixel row
	Tiles       int
	Channels    int // a multiple of Lane
	Rows        int // of pixels that are valid
	LastColumns int // of pixels that are valid in the last tile
	Residual    bool
	Scratch     []float32
}

// Run transforms out.
func (out *Output) Run(i isa.ISA) {
	s := out.Scheme.shape()
	check(out.Tiles > 0 && out.Channels > 0 && out.Channels%Lane == 0, "output: empty or channels not a multiple")
	check(out.Rows > 0 && out.Rows <= s.outputs && out.LastColumns > 0 && out.LastColumns <= s.outputs, "output: valid pixels")
	check(s.runs(i, !s.inputs.float), "output: no such scheme")
	check(!out.Residual || s.residual, "output: the scheme has no residual form")
	check(out.Plane >= out.Tiles*out.Channels && out.Pixel >= out.Channels && out.Row >= 0, "output: stride")
	check(len(out.M) >= (s.points*s.points-1)*out.Plane+out.Tiles*out.Channels, "output: short planes")
	last := ((out.Tiles-1)*s.outputs+out.LastColumns-1)*out.Pixel + (out.Rows-1)*out.Row + out.Channels
	check(len(out.Dst) >= last, "output: short pixels")
	check(len(out.Bias) >= out.Channels && len(out.Scratch) >= ScratchLen, "output: short bias or scratch")
	out.run(i)
}

// Pool is a row of maxima over 3×3 pixels, two pixels apart.
type Pool struct {
	Src, Dst []float32
	Pixel    int // floats from pixel to pixel of Src
	Row      int // floats from pixel row to pixel row of Src
	Pixels   int // of Dst, which follow each other
	Channels int // a multiple of Lane
}

// Run computes p.
func (p *Pool) Run(i isa.ISA) {
	check(p.Pixels > 0 && p.Channels > 0 && p.Channels%Lane == 0, "pool: empty or channels not a multiple")
	check(p.Pixel >= p.Channels && p.Row >= 0, "pool: stride")
	check(len(p.Src) >= 2*p.Pixels*p.Pixel+2*p.Row+p.Channels, "pool: short pixels")
	check(len(p.Dst) >= p.Pixels*p.Channels, "pool: short result")
	p.run(i)
}

// check panics on a mistake of the caller, which no file and no user can bring about.
func check(ok bool, fault string) {
	if !ok {
		panic(fmt.Sprintf("kernel: %s", fault))
	}
}
