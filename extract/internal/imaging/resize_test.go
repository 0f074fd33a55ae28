package imaging

import (
	"bytes"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/disintegration/imaging"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"icebox/extract/internal/imaging/resample"
	"icebox/extract/internal/isa"
)

// drawn is the test picture of testdata/gen.py (pattern).
func drawn(w, h int) *packed {
	p := &packed{width: w, height: h, pix: make([]byte, 3*w*h), stride: 3 * w, step: 3, rgb: [3]int{0, 1, 2}}
	for y := range h {
		for x := range w {
			for c := range 3 {
				p.pix[y*p.stride+3*x+c] = byte((x*x*3 + y*y*5 + x*y*(c+1)*7 + (x^y)*11) >> 3)
			}
		}
	}
	return p
}

func cropOf(src raster, o orientation) *Pixels { return fitOf(src, o, FitCrop) }

func fitOf(src raster, o orientation, fit string) *Pixels {
	r := resizer{fit: fit}
	dst := new(Pixels)
	r.crop(dst, src, o)
	return dst
}

// use chooses what resamples, until the test ends.
func use(t testing.TB, i isa.ISA) {
	before := resamplesOn
	resamplesOn = i
	t.Cleanup(func() { resamplesOn = before })
}

// crop does both steps.
func (r *resizer) crop(dst *Pixels, src raster, o orientation) {
	w, h := src.size()
	r.plan(w, h, o)
	r.draw(dst, src)
}

func TestResizeEqualsPillow(t *testing.T) {
	for _, g := range loadGolden(t).Resizes {
		if got := sum(cropOf(drawn(g.Width, g.Height), upright)[:]); got != g.Crop {
			t.Errorf("%d×%d: crop differs from Pillow's", g.Width, g.Height)
		}
	}
}

func TestFitsEqualPillow(t *testing.T) {
	for _, g := range loadGolden(t).Fits {
		for _, c := range []struct {
			fit, want string
			fill      [3]byte
		}{{FitSquash, g.Squash, [3]byte{}}, {FitPad, g.Pad, [3]byte{}}, {FitPad, g.Grey, [3]byte{18, 171, 159}}} {
			r, dst := resizer{fit: c.fit, fill: c.fill}, new(Pixels)
			r.crop(dst, drawn(g.Width, g.Height), upright)
			if c.want != "" && sum(dst[:]) != c.want {
				t.Errorf("%d×%d, %s, around it %v: differs from Pillow's", g.Width, g.Height, c.fit, c.fill)
			}
		}
	}
}

// torchvision fails where nothing is left of the shorter side.
func TestPadLeavesALineOfAVeryLongPicture(t *testing.T) {
	src := &packed{width: 5000, height: 1, pix: bytes.Repeat([]byte{7}, 15000), stride: 15000, step: 3, rgb: [3]int{0, 1, 2}}
	for y, line := range slices.Collect(slices.Chunk(fitOf(src, upright, FitPad)[:], lineBytes)) {
		want := byte(0)
		if y == 111 {
			want = 7
		}
		if !bytes.Equal(line, bytes.Repeat([]byte{want}, lineBytes)) {
			t.Errorf("line %d: %v …, want %d", y, line[:6], want)
		}
	}
}

// reference is Pillow's algorithm without any of our shortcuts: whole image,
// both passes in the order of Pillow 13, then the cut.
func reference(src *packed) []byte {
	w, h := src.size()
	rw, rh := 256, 256
	if w <= h {
		rh = int(256 * float64(h) / float64(w))
	} else {
		rw = int(256 * float64(w) / float64(h))
	}
	pass := func(in []byte, n, lines, out int, at func(line, i int) int) []byte {
		res := make([]byte, lines*out)
		scale := float64(n) / float64(out)
		support := math.Max(scale, 1)
		for o := range out {
			center := (float64(o) + 0.5) * scale
			lo, hi := max(int(center-support+0.5), 0), min(int(center+support+0.5), n)
			weights, total := make([]float64, hi-lo), 0.0
			for i := range weights {
				weights[i] = math.Max(0, 1-math.Abs((float64(i+lo)-center+0.5)*(1/support)))
				total += weights[i]
			}
			for l := range lines {
				acc := 1 << 21
				for i, v := range weights {
					acc += int(in[at(l, lo+i)]) * int(0.5+v/total*(1<<22))
				}
				res[l*out+o] = byte(min(max(acc>>22, 0), 255))
			}
		}
		return res
	}
	var out []byte // planes, column by column
	for c := range 3 {
		if rh < h && h-rh > 2*(w-rw) {
			down := pass(src.pix, h, w, rh, func(l, i int) int { return i*src.stride + 3*l + c })
			across := pass(down, w, rh, rw, func(l, i int) int { return i*rh + l })
			for x := range rw {
				for y := range rh {
					out = append(out, across[y*rw+x])
				}
			}
			continue
		}
		across := pass(src.pix, w, h, rw, func(l, i int) int { return l*src.stride + 3*i + c })
		out = append(out, pass(across, h, rw, rh, func(l, i int) int { return i*rw + l })...)
	}
	left, top := int(math.RoundToEven(float64(rw-224)/2)), int(math.RoundToEven(float64(rh-224)/2))
	crop := make([]byte, 0, 224*224*3)
	for y := top; y < top+224; y++ {
		for x := left; x < left+224; x++ {
			for c := range 3 {
				crop = append(crop, out[c*rw*rh+x*rh+y])
			}
		}
	}
	return crop
}

func TestResizeEqualsPlainAlgorithm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 400).Draw(t, "w"), rapid.IntRange(1, 800).Draw(t, "h")
		if w > 8*h || h > 8*w {
			t.Skip("too long for the plain algorithm")
		}
		src := drawn(w, h)
		salt := rapid.Byte().Draw(t, "salt")
		for i := range src.pix {
			src.pix[i] ^= salt
		}
		if !bytes.Equal(cropOf(src, upright)[:], reference(src)) {
			t.Fatalf("%d×%d: crop differs", w, h)
		}
	})
}

// fits are all values of Options.Fit.
var fits = []string{FitCrop, FitSquash, FitPad}

// computed is a picture of any size in no memory. It notes which part was asked for.
type computed struct {
	width, height int
	seed          uint32
	used          image.Rectangle
}

func (p *computed) size() (int, int) { return p.width, p.height }

func (p *computed) row(dst []byte, y, x0, x1 int) {
	p.used = p.used.Union(image.Rect(x0, y, x1, y+1))
	for x := x0; x < x1; x++ {
		v := (uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77 ^ p.seed) * 0xc2b2ae3d
		v ^= v >> 15
		if v&7 == 0 {
			v = -(v >> 3 & 1) // black or white
		}
		dst[3*(x-x0)], dst[3*(x-x0)+1], dst[3*(x-x0)+2] = byte(v), byte(v>>8), byte(v>>16)
	}
}

// lengths covers enlarging, reducing, and both ends of what is possible.
func lengths() *rapid.Generator[int] {
	return rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(200, 600), rapid.IntRange(1, 5000))
}

func TestResizeEqualsPortable(t *testing.T) {
	if resamplesOn == isa.Portable {
		t.Skip("no assembly in this build or on this machine")
	}
	rapid.Check(t, func(rt *rapid.T) {
		w, h := lengths().Draw(rt, "w"), lengths().Draw(rt, "h")
		if w*h > 4_000_000 {
			rt.Skip("too slow for portable code")
		}
		o := orientation(rapid.IntRange(1, 8).Draw(rt, "orientation"))
		fit := rapid.SampledFrom(fits).Draw(rt, "fit")
		src := &computed{width: w, height: h, seed: rapid.Uint32().Draw(rt, "seed")}
		var want *Pixels
		for _, i := range resample.Available() {
			use(t, i)
			got := fitOf(src, o, fit)
			if want == nil {
				want = got
			} else if !bytes.Equal(got[:], want[:]) {
				rt.Fatalf("%d×%d, orientation %d, %s, %s: crop differs", w, h, o, fit, i)
			}
		}
	})
}

// A decoder may leave out what plan does not name.
func TestPlanNamesWhatDrawReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := lengths().Draw(t, "w"), rapid.IntRange(1, 700).Draw(t, "h")
		o := orientation(rapid.IntRange(1, 8).Draw(t, "orientation"))
		src := &computed{width: w, height: h}
		r := resizer{fit: rapid.SampledFrom(fits).Draw(t, "fit")}
		r.plan(3, 5, upright)
		planned := r.plan(w, h, o)
		r.draw(new(Pixels), src)
		if planned != src.used || !planned.In(image.Rect(0, 0, w, h)) {
			t.Fatalf("%d×%d, orientation %d: planned %v, used %v", w, h, o, planned, src.used)
		}
	})
}

// An orientation inside the resampler must equal turning the picture first.
func TestOrientationEqualsTurningFirst(t *testing.T) {
	turns := []func(image.Image) *image.NRGBA{
		1: imaging.Clone, 2: imaging.FlipH, 3: imaging.Rotate180, 4: imaging.FlipV,
		5: imaging.Transpose, 6: imaging.Rotate270, 7: imaging.Transverse, 8: imaging.Rotate90,
	}
	resizers := []resizer{{}, {fit: FitSquash}, {fit: FitPad, fill: [3]byte{1, 2, 3}}}
	for _, size := range [][2]int{{300, 200}, {200, 300}, {61, 47}, {1, 90}, {90, 1}, {256, 256}, {1000, 301}, {301, 1000}} {
		src := drawn(size[0], size[1])
		for o := orientation(1); o <= 8; o++ {
			turned := packedNRGBA(turns[o](toNRGBA(src)))
			for i := range resizers {
				var got, want Pixels
				r := &resizers[i]
				r.crop(&got, src, o)
				r.crop(&want, turned, upright)
				if got != want {
					t.Errorf("%v, orientation %d, %s: differs", size, o, r.fit)
				}
			}
		}
	}
}

func toNRGBA(p *packed) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, p.width, p.height))
	for i := range p.width * p.height {
		copy(img.Pix[4*i:], p.pix[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return img
}

func packedNRGBA(img *image.NRGBA) *packed {
	return &packed{width: img.Rect.Dx(), height: img.Rect.Dy(), pix: img.Pix, stride: img.Stride, step: 4, rgb: [3]int{0, 1, 2}}
}

// Why the resampler is our own: the imaging library's triangle filter is not
// Pillow's.
func TestImagingLibraryIsNotPillow(t *testing.T) {
	src := drawn(320, 240)
	want := cropOf(src, upright)
	theirs := imaging.CropCenter(imaging.Resize(toNRGBA(src), 0, 256, imaging.Linear), Size, Size)
	differ := 0
	for i := range Size * Size {
		for c := range 3 {
			if theirs.Pix[4*i+c] != want[3*i+c] {
				differ++
			}
		}
	}
	if differ == 0 {
		t.Error("the imaging library gives Pillow's pixels: our resampler is no longer needed")
	}
	t.Logf("%.1f%% of samples differ", 100*float64(differ)/float64(len(want)))
}

func TestLongPictureNeedsLittleMemory(t *testing.T) {
	// Resized in full it would be 256 × 25,600,000 pixels.
	src := drawn(1, 100_000)
	var r resizer
	var dst Pixels
	r.crop(&dst, src, upright)
	if got := cap(r.rows) + cap(r.lines) + cap(r.ring); got > 1<<20 {
		t.Errorf("%d bytes of scratch memory", got)
	}
}

func TestFittedSizes(t *testing.T) {
	for _, c := range []struct{ w, h, rw, rh, left, top int }{
		{500, 375, 341, 256, 58, 16}, // 117 / 2 = 58.5, to even
		{640, 427, 383, 256, 80, 16}, // 159 / 2 = 79.5, to even
		{256, 256, 256, 256, 16, 16}, // untouched
		{1, 5000, 256, 1280000, 16, 639888},
	} {
		size := resized(FitCrop, c.w, c.h)
		got := []int{size.X, size.Y, centred(size.X), centred(size.Y)}
		if diff := cmp.Diff([]int{c.rw, c.rh, c.left, c.top}, got); diff != "" {
			t.Errorf("%d×%d: %s", c.w, c.h, diff)
		}
	}
}

func TestResizerReusesItsMemory(t *testing.T) {
	var r resizer
	var dst Pixels
	src := drawn(320, 240)
	for _, o := range []orientation{1, 6} {
		r.crop(&dst, src, o)
		if n := testing.AllocsPerRun(3, func() { r.crop(&dst, src, o) }); n != 0 {
			t.Errorf("orientation %d: %v allocations a picture", o, n)
		}
	}
}
