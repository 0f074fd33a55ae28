package imaging

import (
	"testing"

	"icebox/extract/internal/jpeg"
)

// Decoding and cropping one picture of each kind, at sizes people have.
func BenchmarkResize(b *testing.B) {
	for _, c := range []struct {
		name string
		w, h int
		o    orientation
	}{{"500x375", 500, 375, 1}, {"4000x3000", 4000, 3000, 1}, {"4000x3000-turned", 4000, 3000, 6}, {"32x32", 32, 32, 1}} {
		b.Run(c.name, func(b *testing.B) {
			src := drawn(c.w, c.h)
			var r resizer
			var dst Pixels
			for b.Loop() {
				r.crop(&dst, src, c.o)
			}
		})
	}
}

func BenchmarkUpsampleAndConvert(b *testing.B) {
	const w, h = 500, 375
	p := planes{width: w, height: h, model: modelYCC, count: 3}
	p.comp[0] = jpeg.Plane{Pix: make([]byte, w*h), Stride: w, Width: w, Height: h, H: 1, V: 1}
	for i := 1; i < 3; i++ {
		p.comp[i] = jpeg.Plane{Pix: make([]byte, 250*188), Stride: 250, Width: 250, Height: 188, H: 2, V: 2}
	}
	row := make([]byte, 3*w)
	b.SetBytes(3 * w * h)
	for b.Loop() {
		for y := range h {
			p.row(row, y, 0, w)
		}
	}
}

func BenchmarkCrop(b *testing.B) {
	for _, name := range []string{"q75.jpg", "progressive.jpg", "rgb8.png", "lossy-61x47.webp"} {
		b.Run(name, func(b *testing.B) {
			data := fixture(b, name)
			var p Preprocessor
			var dst Pixels
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Crop(&dst, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
