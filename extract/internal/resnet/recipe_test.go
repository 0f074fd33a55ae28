package resnet

import (
	"fmt"
	"math"
	"strings"
)

// The recipe of testdata/make.py, by integers: every value is a 24-bit integer
// scaled by a power of two and one product in float64, so that both languages get
// the same floats.

// splitMix is splitmix64.
type splitMix uint64

func (s *splitMix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit is uniform in [-1, 1).
func (s *splitMix) unit() float64 { return float64(int64(s.next()>>40)-1<<23) / (1 << 23) }

// recipeSeed is FNV-1a of a tensor's name.
func recipeSeed(name string) splitMix {
	h := uint64(0xcbf29ce484222325)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	return splitMix(h)
}

// recipeWeights makes weights with He-uniform kernels and batch norms far from the
// identity.
func recipeWeights() func(name string) []float32 {
	tensors := map[string][]float32{}
	make1 := func(name string, n int, value func(u float64) float64) {
		s, t := recipeSeed(name), make([]float32, n)
		for i := range t {
			t[i] = float32(value(s.unit()))
		}
		tensors[name] = t
	}
	layer := func(conv, norm string, in, out, taps int) {
		bound := math.Sqrt(6 / float64(in*taps*taps))
		make1(conv+".weight", out*in*taps*taps, func(u float64) float64 { return u * bound })
		gain := 1.0
		if strings.HasSuffix(norm, "bn2") {
			gain = 0.5
		}
		make1(norm+".weight", out, func(u float64) float64 { return gain * (1 + 0.5*u) })
		make1(norm+".bias", out, func(u float64) float64 { return 0.25 * u })
		make1(norm+".running_mean", out, func(u float64) float64 { return 0.25 * u })
		make1(norm+".running_var", out, func(u float64) float64 { return 1 + 0.5*u })
	}
	layer("conv1", "bn1", 3, 64, 7)
	for _, b := range blockShapes {
		layer(b.name+".conv1", b.name+".bn1", b.in, b.out, 3)
		layer(b.name+".conv2", b.name+".bn2", b.out, b.out, 3)
		if b.stride > 1 {
			layer(b.name+".downsample.0", b.name+".downsample.1", b.in, b.out, 1)
		}
	}
	return func(name string) []float32 { return tensors[name] }
}

// recipeImage makes pixels: a slope and blocks with noise; even and odd images
// differ in their edges.
func recipeImage(n int) []uint8 {
	s := recipeSeed(fmt.Sprintf("image%d", n))
	pixels := make([]uint8, PixelBytes)
	for i := range pixels {
		y, x, c := i/3/Side, i/3%Side, i%3
		v := (x*(c+1)+y*(3-c))/4 + 96*((x/(9+n)+y/14)%2) + int(s.next()>>60)
		pixels[i] = uint8(v % 256)
	}
	return pixels
}

// recipeLUT is torchvision's normalisation.
func recipeLUT() *[3][256]float32 {
	mean, std := [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}
	var lut [3][256]float32
	for c := range lut {
		for v := range lut[c] {
			lut[c][v] = (float32(v)/255 - mean[c]) / std[c]
		}
	}
	return &lut
}
