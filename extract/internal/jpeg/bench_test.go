package jpeg

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"icebox/extract/internal/isa"
)

// photo is a JPEG of w×h pixels, 4:2:0, with waves and noise.
func photo(b *testing.B, w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(6, 6))
	for i := range img.Pix {
		x, y, c := float64(i/4%w), float64(i/4/w), float64(i%4)
		img.Pix[i] = uint8(127 + 50*math.Sin(x/(9+c)) + 50*math.Cos(y/(11-c)) + 12*r.Float64())
	}
	var buf bytes.Buffer
	if err := stdjpeg.Encode(&buf, img, &stdjpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return buf.Bytes()
}

// BenchmarkDecode decodes a photo to planes: all of it, and what a centre crop
// takes.
func BenchmarkDecode(b *testing.B) {
	data := photo(b, 500, 375)
	for _, i := range available() {
		for _, w := range []image.Rectangle{image.Rect(0, 0, 500, 375), image.Rect(85, 22, 415, 353), image.Rect(0, 0, 500, 1)} {
			b.Run(fmt.Sprintf("%v/%v", i, w), func(b *testing.B) {
				d := Decoder{portable: i == isa.Portable}
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := d.Decode(data, w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkIDCT(b *testing.B) {
	const pairs = 32
	for _, i := range available() {
		for _, kind := range []string{"flat", "full"} {
			b.Run(fmt.Sprintf("%v/%s", i, kind), func(b *testing.B) {
				coefs, dst, quant := make([]int16, 128*pairs), make([]byte, 128*pairs), new([64]uint16)
				for b.Loop() {
					for k := 0; k < len(coefs); k += 64 {
						coefs[k] = 10
						if kind == "full" {
							coefs[k+63] = 1
						}
					}
					idct(i, dst, 16*pairs, coefs, quant, pairs)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/(2*pairs), "ns/block")
			})
		}
	}
}

func BenchmarkRows(b *testing.B) {
	const n = 512
	dst, luma, cb, cr, sums := make([]byte, 3*n), make([]byte, n), make([]byte, n), make([]byte, n), make([]int16, n+2)
	for _, i := range available() {
		for name, kernel := range map[string]func(){
			"blend":   func() { blend(i, dst[:n], cb, cr, 1) },
			"weigh":   func() { weigh(i, sums[:n], cb, cr) },
			"spread":  func() { spread(i, dst[:2*n], sums, 8, 7) },
			"convert": func() { convert(i, dst, luma, cb, cr) },
		} {
			b.Run(fmt.Sprintf("%v/%s", i, name), func(b *testing.B) {
				for b.Loop() {
					kernel()
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n, "ns/sample")
			})
		}
	}
}
