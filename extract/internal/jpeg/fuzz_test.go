package jpeg

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"slices"
	"testing"
)

// fuzzPixels is the largest picture that the fuzzers decode.
const fuzzPixels = 1 << 16

// FuzzDecode compares with the standard library's decoder, whose samples may be
// off by its other inverse DCT; with portable code; and a window with the whole. Of damaged
// progressive pictures the standard library makes others than libjpeg.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{
		"q75.jpg", "quality1.jpg", "restart.jpg", "grey.jpg", "progressive.jpg", "s420-restart-1.jpg", "s420-scans.jpg", "s422-scans.jpg", "s440-9x9.jpg",
		"s411.jpg", "s-mixed.jpg", "s-wide-quant.jpg", "s-extended.jpg", "s-harsh.jpg", "f420-3x3.jpg", "rgb-adobe.jpg", "s-small-luma.jpg", "s400-1x17.jpg",
		"p420-17x9.jpg", "p420-restart.jpg", "p-L.jpg", "p-CMYK-4.jpg", "p-dc-1.jpg", "p-dc-3.jpg", "cmyk-real.jpg", "odd-factors.jpg", "f-two-scans.jpg", "forgiven-baseline-padded.jpg",
	} {
		f.Add(fixture(f, name), uint16(7), uint16(9))
	}
	native, portable := new(Decoder), &Decoder{portable: true}
	f.Fuzz(func(t *testing.T, data []byte, x, y uint16) {
		w := whole(t, data)
		if w.Empty() || w.Dx()*w.Dy() > fuzzPixels {
			return
		}
		planes, err := native.Decode(data, w)
		tame := true
		portable.inspect = func(coefs []int16, quant *[64]uint16) { tame = tame && isTame(coefs, quant) }
		same, err2 := portable.Decode(data, w)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v, portable %v", err, err2)
		}
		part := image.Rect(int(x)%w.Dx(), int(y)%w.Dy(), w.Dx(), w.Dy())
		if err != nil {
			if _, err := native.Decode(data, part); err == nil {
				t.Fatalf("the whole is refused, %v is not", part)
			}
			return
		}
		got := samples(planes, w)
		if !slices.EqualFunc(got, samples(same, w), bytes.Equal) {
			t.Fatal("implementations differ")
		}
		pixels := rgb(new(Rows), planes, w)
		if tame && len(planes) <= 3 && !native.frame.progressive {
			compareStandard(t, data, planes, got)
		}
		comparePart(t, native.Decode, data, pixels, w, part)
	})
}

// FuzzSalvage holds that every beginning of a sound file that reaches into the data of its
// first scan is salvaged, unless it ends in a segment behind that, whichever part of the picture is
// wanted.
func FuzzSalvage(f *testing.F) {
	for _, name := range []string{
		"q75.jpg", "restart.jpg", "grey.jpg", "s420-restart-1.jpg", "s440-9x9.jpg", "s-mixed.jpg", "s-harshest.jpg", "f420-3x3.jpg", "quality100.jpg",
		"s420-scans.jpg", "cmyk-real.jpg", "progressive.jpg", "p420-restart.jpg", "p-L.jpg", "p-dc-0.jpg", "p-dc-3.jpg",
	} {
		f.Add(fixture(f, name), uint16(3), uint16(5), uint16(7))
	}
	d := new(Decoder)
	f.Fuzz(func(t *testing.T, data []byte, cut, x, y uint16) {
		w := whole(t, data)
		sos := bytes.Index(data, []byte{0xff, markSOS})
		if w.Empty() || w.Dx()*w.Dy() > fuzzPixels || sos < 0 {
			return
		}
		if _, err := d.Decode(data, w); err != nil {
			return
		}
		_, _, start, ok := segment(data, sos)
		if !ok || start >= len(data)-2 {
			return
		}
		mark, _, _, _ := segment(data, start)
		several := d.frame.scans > 1 || mark != markEOI
		data = data[:start+int(cut)%(len(data)-2-start)]
		planes, err := d.Salvage(data, w)
		if err != nil && !several {
			t.Fatal(err)
		}
		part := image.Rect(int(x)%w.Dx(), int(y)%w.Dy(), w.Dx(), w.Dy())
		if err != nil {
			if _, err := d.Salvage(data, part); err == nil {
				t.Fatalf("the whole is refused, %v is not", part)
			}
			return
		}
		pixels := rgb(new(Rows), planes, w)
		comparePart(t, d.Salvage, data, pixels, w, part)
	})
}

// isTame tells whether coefficients are so small that no decoder's arithmetic
// leaves its range, in its own way.
func isTame(coefs []int16, quant *[64]uint16) bool {
	for block := range slices.Chunk(coefs, 64) {
		sum := 0
		for i, c := range block {
			sum += max(int(c), -int(c)) * int(quant[i])
		}
		if sum > 5000 {
			return false
		}
	}
	return true
}

// compareStandard holds the samples against the standard library's, where it
// accepts the picture.
func compareStandard(t *testing.T, data []byte, planes []Plane, got [][]byte) {
	img, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return
	}
	for i := range planes {
		pix, stride := standard(img, i)
		p := &planes[i]
		if pix == nil {
			continue
		}
		for y := range p.Height {
			for x := range p.Width {
				a, b := int(got[i][y*p.Width+x]), int(pix[y*stride+x])
				if a-b > 3 || b-a > 3 {
					t.Fatalf("component %d, sample %d of row %d is %d, the standard library's %d", i, x, y, a, b)
				}
			}
		}
	}
}

// standard returns the samples of a picture that the standard library has left
// as they are.
func standard(img image.Image, i int) ([]byte, int) {
	switch img := img.(type) {
	case *image.Gray:
		return img.Pix, img.Stride
	case *image.YCbCr:
		return [][]byte{img.Y, img.Cb, img.Cr}[i], []int{img.YStride, img.CStride, img.CStride}[i]
	}
	return nil, 0
}

func comparePart(t *testing.T, decode func([]byte, image.Rectangle) ([]Plane, error), data, pixels []byte, w, part image.Rectangle) {
	planes, err := decode(data, part)
	if err != nil {
		t.Fatalf("the whole is sound, %v is not: %v", part, err)
	}
	got := rgb(new(Rows), planes, part)
	n := 3 * part.Dx()
	for y := range part.Dy() {
		from := 3 * ((part.Min.Y+y)*w.Dx() + part.Min.X)
		if !bytes.Equal(got[n*y:][:n], pixels[from:][:n]) {
			t.Fatalf("%v: row %d differs from the whole's", part, y)
		}
	}
}
