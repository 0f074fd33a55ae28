package kernel

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"icebox/extract/internal/isa"
)

// convolve is the plain convolution of a tile's pixels, in float64.
func convolve(d []float32, w []float64, size, taps, stride, outputs int) []float64 {
	out := make([]float64, outputs*outputs)
	for i := range out {
		for k, x := range w {
			y, x0 := i/outputs*stride+k/taps, i%outputs*stride+k%taps
			out[i] += x * float64(d[y*size+x0])
		}
	}
	return out
}

// Aᵀ·((G·w) ⊙ (Bᵀ·d)) is bilinear in taps and pixels, so its coefficients determine it:
// that of tap k and pixel x in output i is 1 where the tap meets the pixel, and else 0.
func TestMatricesAreThoseOfAConvolution(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			for i := range s.outputs {
				for _, p := range s.phases {
					for k, tap := range p.taps {
						for x := range p.bt[0] {
							pixel, want := p.first+x*p.every, 0.0
							if pixel == i*s.stride+tap {
								want = 1
							}
							if got := s.coefficient(p, i, k, x); !(math.Abs(got-want) <= 1e-12) {
								t.Errorf("output %d, tap %d, pixel %d: %v, want %v", i, tap, pixel, got, want)
							}
						}
					}
				}
			}
		})
	}
}

// coefficient is that of the product of tap k and pixel x of a phase in output i.
func (s *shape) coefficient(p phase, i, k, x int) float64 {
	sum := 0.0
	for point := range p.bt {
		sum += float64(s.at[i][point]) * p.g[point][k] * float64(p.bt[point][x])
	}
	return sum
}

// A scheme's three steps, with a plain product between the transforms, are the
// convolution: this compares the matrices, the layout of slots and each transform with a
// definition that has nothing in common with them.
func TestSchemesAreConvolutions(t *testing.T) {
	for s := range schemes {
		for _, i := range Available() {
			t.Run(fmt.Sprintf("%s/scheme=%d", i, s), func(t *testing.T) {
				for _, bf16 := range []bool{false, true} {
					if s.shape().runs(i, bf16) && (!bf16 || s.shape().inputs.bf16 && HasBF16(i)) {
						rapid.Check(t, func(t *rapid.T) { checkScheme(t, i, s, bf16) })
					}
				}
			})
		}
	}
}

func checkScheme(t *rapid.T, i isa.ISA, s Scheme, bf16 bool) {
	const channels = Lane
	sh := s.shape()
	size, taps, points := sh.size(), sh.taps(), sh.points*sh.points
	value := rapid.Float32Range(-1, 1)
	d := rapid.SliceOfN(value, size*size, size*size).Draw(t, "pixels")
	var w [MaxTaps * MaxTaps]float64
	for i, x := range rapid.SliceOfN(value, taps*taps, taps*taps).Draw(t, "kernel") {
		w[i] = float64(x)
	}
	lane := rapid.IntRange(0, channels-1).Draw(t, "channel")

	src := make([]float32, size*size*channels)
	for i, x := range d {
		src[i*channels+lane] = x
	}
	width := s.MaxSlots() * channels
	in := Input{
		Scheme: s, Src: src, Pixel: channels, Row: size * channels, Dst: make([]float32, points*width),
		Width: width, Plane: width, Tiles: 1, Channels: channels, Scratch: make([]float32, ScratchLen),
	}
	tol := 2e-3
	if bf16 {
		in.BF16, in.Dst = make([]uint16, len(in.Dst)), nil
		in.Run(i)
		in.Dst, tol = widened(in.BF16), 1
	} else {
		in.Run(i)
	}
	const stride = 3
	u := make([]float32, points*s.MaxSlots()*stride)
	s.Filter(stride).Apply(u, &w)
	next := 0
	m := make([]float32, points*channels)
	for p := range points {
		for slot := range s.Slots(p) {
			m[p*channels+lane] += u[next] * in.Dst[p*width+slot*channels+lane]
			next += stride
		}
	}
	const bias = 100 // so that no ReLU hides a sign
	out := Output{
		Scheme: s, M: m, Plane: channels, Bias: make([]float32, channels), Dst: make([]float32, sh.outputs*sh.outputs*channels),
		Pixel: channels, Row: sh.outputs * channels, Tiles: 1, Channels: channels,
		Rows: sh.outputs, LastColumns: sh.outputs, Scratch: in.Scratch,
	}
	out.Bias[lane] = bias
	out.Run(i)
	for i, want := range convolve(d, w[:taps*taps], size, taps, sh.stride, sh.outputs) {
		if got := float64(out.Dst[i*channels+lane]) - bias; !(math.Abs(got-want) <= tol) {
			t.Fatalf("pixel %d is %v, want %v", i, got, want)
		}
	}
}
