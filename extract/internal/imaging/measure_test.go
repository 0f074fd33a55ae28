package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestLog2(t *testing.T) {
	for v := uint32(1); v < 1<<14; v++ {
		if got, want := float64(log2(v))/65536, math.Log2(float64(v)); math.Abs(got-want) > 1e-4 {
			t.Fatalf("log2(%d) is %v, not %v", v, got, want)
		}
	}
}

// Every crop can be measured, of whatever size the picture was and however it was fitted.
func TestEveryCropIsMeasured(t *testing.T) {
	side := rapid.OneOf(rapid.IntRange(1, 70), rapid.IntRange(1, 600), rapid.IntRange(1, 1e5))
	rapid.Check(t, func(t *rapid.T) {
		upright := image.Pt(side.Draw(t, "width"), side.Draw(t, "height"))
		fit := rapid.SampledFrom([]string{FitCrop, FitSquash, FitPad}).Draw(t, "fit")
		level := rapid.Byte().Draw(t, "level")
		size := resized(fit, upright.X, upright.Y)
		var crop Pixels
		for i := range crop {
			crop[i] = level
		}
		part := covered(size)
		surround(&crop, part, [3]byte{level + 100, 1, 2})
		var m Measures
		new(measurer).measure(&m, seen{&crop, part, upright, size})
		// A flat picture is grey, has the entropy of the three channels and its own brightness;
		// the filling around it does not count.
		if !m.Grey || math.Abs(float64(m.Entropy)/4096-math.Log2(3)) > 1e-3 || m.Bright5 != m.Bright99 || math.Abs(float64(m.Bright5)-float64(level)) > 8 {
			t.Errorf("%+v of a flat picture of level %d", m, level)
		}
		if m.Edges != math.MaxUint16 && m.Edges > 128*(uint16(level)+2) { // those of its rim
			t.Errorf("%d/256 of edges in a flat picture", m.Edges)
		}
	})
}

// The numbers are those of a plain computation in floating point.
func TestTonesAreThoseOfThePicture(t *testing.T) {
	crop := cropOf(drawn(500, 375), upright)
	var m measurer
	var got Measures
	m.tones(&got, seen{crop: crop, covered: image.Rect(0, 0, Size, Size)})
	var counts [768]float64
	n, below := 0.0, map[uint8]float64{}
	for y := 4; y < Size; y += 8 {
		for x := 2; x < Size; x += 8 {
			px := crop[3*(Size*y+x):]
			n++
			for c := range 3 {
				counts[256*c+int(px[c])]++
			}
			r, g, b := float64(px[0]), float64(px[1]), float64(px[2])
			bright := math.Sqrt(0.241*r*r + 0.691*g*g + 0.068*b*b)
			for _, p := range []uint8{got.Bright5, got.Bright99} {
				if bright <= float64(p)+1.5 {
					below[p]++
				}
			}
		}
	}
	entropy := 0.0
	for _, c := range counts {
		if p := c / (3 * n); p > 0 {
			entropy -= p * math.Log2(p)
		}
	}
	if math.Abs(float64(got.Entropy)/4096-entropy) > 0.001 {
		t.Errorf("entropy %v, want %v", float64(got.Entropy)/4096, entropy)
	}
	for p, want := range map[uint8]float64{got.Bright5: 0.05, got.Bright99: 0.99} {
		if share := below[p] / n; math.Abs(share-want) > 0.03 {
			t.Errorf("%v of the pixels are no brighter than %d, want %v", share, p, want)
		}
	}
	if got.Grey {
		t.Error("a coloured picture is grey")
	}
}

// photo is a smooth picture with some texture, as a camera makes it.
func photo(t testing.TB, w, h int) []byte {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		for x := range w {
			img.Y[img.YOffset(x, y)] = uint8(128 + 60*math.Sin(float64(x)/17) + 40*math.Cos(float64(x+2*y)/5) + float64((x*7+y*13)%11))
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = uint8(100+i%50), uint8(120+i%30)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngFile(t *testing.T, img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A single coloured pixel of those that are looked at makes a picture coloured.
func TestOneColourIsEnough(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	var p Preprocessor
	mustCrop(t, &p, pngFile(t, img))
	if !p.Traits().Grey {
		t.Error("a grey picture is not grey")
	}
	coloured := image.NewNRGBA(img.Rect)
	for y := range 64 {
		for x := range 64 {
			coloured.Set(x, y, img.At(x, y))
		}
	}
	for y := 30; y < 33; y++ {
		coloured.Set(30, y, color.NRGBA{250, 20, 20, 255})
	}
	mustCrop(t, &p, pngFile(t, coloured))
	if p.Traits().Grey {
		t.Error("a coloured picture is grey")
	}
}

// BenchmarkMeasure says what measuring adds to the decoding of photos: "share" is in percent.
func BenchmarkMeasure(b *testing.B) {
	for _, size := range [][2]int{{500, 375}, {4000, 3000}} {
		data := photo(b, size[0], size[1])
		var p Preprocessor
		var dst Pixels
		perCrop := 0.0
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		b.Run(name+"/decode", func(b *testing.B) {
			for b.Loop() {
				if err := p.Crop(&dst, data); err != nil {
					b.Fatal(err)
				}
			}
			perCrop = float64(b.Elapsed().Nanoseconds()) / float64(b.N)
		})
		b.Run(name+"/measure", func(b *testing.B) {
			var m Measures
			at := image.Pt(size[0], size[1])
			s := seen{&dst, image.Rect(0, 0, Size, Size), at, resized(FitCrop, at.X, at.Y)}
			for b.Loop() {
				p.looks.measure(&m, s)
			}
			b.ReportMetric(100*float64(b.Elapsed().Nanoseconds())/float64(b.N)/perCrop, "share")
		})
	}
}
