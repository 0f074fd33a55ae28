package imaging

import (
	"fmt"
	"image"
	"os"
	"testing"

	"icebox/extract/internal/imaging/resample"
	"icebox/extract/internal/jpeg"
	"icebox/extract/internal/mem"
)

// ready is a raster whose rows only need to be copied.
type ready struct{ packed }

func (r *ready) row(dst []byte, y, x0, x1 int) {
	copy(dst, r.pix[y*r.stride+3*x0:y*r.stride+3*x1])
}

// BenchmarkResize resizes and cuts decoded pictures, at sizes people have.
func BenchmarkResize(b *testing.B) {
	for _, c := range []struct {
		name string
		w, h int
		o    orientation
	}{{"500x375", 500, 375, 1}, {"4000x3000", 4000, 3000, 1}, {"4000x3000-turned", 4000, 3000, 6}, {"32x32", 32, 32, 1}} {
		src := &ready{*drawn(c.w, c.h)}
		for _, i := range resample.Available() {
			b.Run(fmt.Sprintf("%s/%s", c.name, i), func(b *testing.B) {
				use(b, i)
				var r resizer
				var dst Pixels
				for b.Loop() {
					r.crop(&dst, src, c.o)
				}
			})
		}
	}
}

// BenchmarkRow gives out rows of what the decoders of other formats return.
func BenchmarkRow(b *testing.B) {
	const w = 500
	pix := make([]byte, 8*w)
	rows := map[string]raster{
		"grey":    &packed{width: w, height: 1, pix: pix, step: 1},
		"rgba":    &packed{width: w, height: 1, pix: pix, step: 4, rgb: [3]int{0, 1, 2}},
		"rgba16":  &packed{width: w, height: 1, pix: pix, step: 8, rgb: [3]int{0, 2, 4}},
		"palette": &indexed{width: w, height: 1, pix: pix},
	}
	for name, src := range rows {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 3*w)
			for b.Loop() {
				src.row(dst, 0, 0, w)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*w), "ns/pixel")
		})
	}
}

// BenchmarkPlan is what the first picture of a size costs extra.
func BenchmarkPlan(b *testing.B) {
	var r resizer
	for b.Loop() {
		r.prepare(500, 375, upright)
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

// BenchmarkPhotos decodes the files of the folder that ICEBOX_BENCH_PHOTOS names, all of their
// pixels, to RGB. The script beside_peers.py runs it.
func BenchmarkPhotos(b *testing.B) {
	dir := os.Getenv("ICEBOX_BENCH_PHOTOS")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		b.Skip("ICEBOX_BENCH_PHOTOS names no folder of images")
	}
	files := make([][]byte, len(entries))
	for i, e := range entries {
		if files[i], err = os.ReadFile(dir + "/" + e.Name()); err != nil {
			b.Fatal(err)
		}
	}
	var p Preprocessor
	var line []byte
	for b.Loop() {
		for i, data := range files {
			h, err := parseHeader(data)
			if err != nil {
				b.Fatal(entries[i].Name(), err)
			}
			src, err := p.decode(h, data, image.Rect(0, 0, h.width, h.height))
			if err != nil {
				b.Fatal(entries[i].Name(), err)
			}
			line = mem.Grow(line, 3*h.width)
			for y := range h.height {
				src.row(line, y, 0, h.width)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(files))/b.Elapsed().Seconds(), "images/s")
}
