package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// cosines is the inverse DCT by its definition, moved up by 128.
func cosines(coefs []int16) [64]float64 {
	var out [64]float64
	for i := range out {
		sum := 0.0
		for j, c := range coefs {
			f := float64(c) / 4
			if j%8 == 0 {
				f /= math.Sqrt2
			}
			if j/8 == 0 {
				f /= math.Sqrt2
			}
			sum += f * math.Cos(float64((2*(i%8)+1)*(j%8))*math.Pi/16) * math.Cos(float64((2*(i/8)+1)*(j/8))*math.Pi/16)
		}
		out[i] = min(max(sum+128, 0), 255)
	}
	return out
}

// images is where the fixtures are that Pillow made or has read.
const images = "../imaging/testdata/images"

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(images, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fixtures are those that are read.
func fixtures(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(images, "*.jpg"))
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d fixtures, %v", len(paths), err)
	}
	var names []string
	for _, p := range paths {
		if name := filepath.Base(p); name != "fractional-factors.jpg" {
			names = append(names, name)
		}
	}
	return names
}

// whole is the window of the whole picture.
func whole(t testing.TB, data []byte) image.Rectangle {
	t.Helper()
	at := -1
	for _, mark := range []byte{markSOF0, markSOF1, markSOF2} {
		at = max(at, bytes.Index(data, []byte{0xff, mark}))
	}
	if at < 0 || at+9 > len(data) {
		return image.Rect(0, 0, 1, 1)
	}
	return image.Rect(0, 0, int(binary.BigEndian.Uint16(data[at+7:])), int(binary.BigEndian.Uint16(data[at+5:])))
}

func TestPicturesOfEveryKindAreDecoded(t *testing.T) {
	var d Decoder
	for _, name := range fixtures(t) {
		data := fixture(t, name)
		if _, err := d.Decode(data, whole(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// samples copies what planes hold of the real picture within a window.
func samples(planes []Plane, window image.Rectangle) (out [][]byte) {
	for i := range planes {
		p := &planes[i]
		var s []byte
		for y := window.Min.Y / p.V; y <= (window.Max.Y-1)/p.V; y++ {
			s = append(s, p.line(y, window.Min.X/p.H, (window.Max.X-1)/p.H+1)...)
		}
		out = append(out, s)
	}
	return out
}

// rgb is the picture within a window, which must be YCbCr.
func rgb(r *Rows, planes []Plane, window image.Rectangle) (out []byte) {
	line := make([]byte, 3*window.Dx())
	for y := window.Min.Y; y < window.Max.Y; y++ {
		var c [3][]byte
		for i := range c {
			c[i] = r.Upsample(i, &planes[i%len(planes)], y, window.Min.X, window.Max.X)
		}
		r.Convert(line, c[0], c[1], c[2])
		out = append(out, line...)
	}
	return out
}

func TestImplementationsGiveEqualPictures(t *testing.T) {
	assembly(t)
	native, portable := new(Decoder), &Decoder{portable: true}
	fast, slow := new(Rows), &Rows{portable: true}
	for _, name := range fixtures(t) {
		data := fixture(t, name)
		w := whole(t, data)
		a, err := native.Decode(data, w)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b, err := portable.Decode(data, w)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.EqualFunc(samples(a, w), samples(b, w), bytes.Equal) {
			t.Errorf("%s: samples differ", name)
		}
		if !bytes.Equal(rgb(fast, a, w), rgb(slow, b, w)) {
			t.Errorf("%s: pixels differ", name)
		}
	}
}

// A window must hold the very pixels that the whole picture has there.
func TestWindowsArePartsOfTheWhole(t *testing.T) {
	var all, part Decoder
	var rows Rows
	rng := rand.New(rand.NewPCG(5, 5))
	for _, name := range fixtures(t) {
		data := fixture(t, name)
		w := whole(t, data)
		planes, err := all.Decode(data, w)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := rgb(&rows, planes, w)
		for range 20 {
			x, y := rng.IntN(w.Dx()), rng.IntN(w.Dy())
			window := image.Rect(x, y, x+1+rng.IntN(w.Dx()-x), y+1+rng.IntN(w.Dy()-y))
			planes, err := part.Decode(data, window)
			if err != nil {
				t.Fatalf("%s %v: %v", name, window, err)
			}
			got := rgb(&rows, planes, window)
			for y := range window.Dy() {
				from := 3 * ((window.Min.Y+y)*w.Dx() + window.Min.X)
				n := 3 * window.Dx()
				if !bytes.Equal(got[n*y:][:n], want[from:][:n]) {
					t.Fatalf("%s %v: row %d differs", name, window, y)
				}
			}
		}
	}
}

// segmentAt finds a marker.
func segmentAt(t *testing.T, data []byte, mark byte) int {
	t.Helper()
	at := bytes.Index(data, []byte{0xff, mark})
	if at < 0 {
		t.Fatalf("no marker %#x", mark)
	}
	return at
}

func TestUnsoundFilesAreForeign(t *testing.T) {
	edit := func(name string, change func(b []byte) []byte) []byte { return change(fixture(t, name)) }
	at := func(mark byte, offset int, value byte) func([]byte) []byte {
		return func(b []byte) []byte { b[segmentAt(t, b, mark)+offset] = value; return b }
	}
	q75, restart := "q75.jpg", "restart.jpg"
	for name, data := range map[string][]byte{
		"nothing":            {},
		"two bytes":          {0xff, 0xd8},
		"no picture":         {0xff, 0xd8, 0xff, 0xd9},
		"no end":             edit(q75, func(b []byte) []byte { return b[:len(b)-2] }),
		"half":               edit(q75, func(b []byte) []byte { return b[:len(b)/2] }),
		"half and an end":    edit(q75, func(b []byte) []byte { return append(b[:len(b)/2], 0xff, 0xd9) }),
		"garbage behind":     edit(q75, func(b []byte) []byte { return append(b[:len(b)-2], 0xff, 0xdc, 0, 4, 0, 1, 0xff, 0xd9) }),
		"12 bits":            edit(q75, at(markSOF0, 4, 12)),
		"arithmetic":         edit(q75, at(markSOF0, 1, 0xc9)),
		"two frames":         edit(q75, func(b []byte) []byte { i := segmentAt(t, b, markSOF0); return slices.Insert(b, i, b[i:i+19]...) }),
		"no height":          edit(q75, func(b []byte) []byte { i := segmentAt(t, b, markSOF0); b[i+5], b[i+6] = 0, 0; return b }),
		"factor 0":           edit(q75, at(markSOF0, 11, 0x02)),
		"factor 5":           edit(q75, at(markSOF0, 11, 0x52)),
		"fractional factors": fixture(t, "fractional-factors.jpg"),
		"a component twice":  edit(q75, at(markSOF0, 13, 1)),
		"too many blocks":    edit(q75, func(b []byte) []byte { i := segmentAt(t, b, markSOF0); b[i+11], b[i+14] = 0x42, 0x42; return b }),
		"no such quant":      edit(q75, at(markSOF0, 12, 3)),
		"quant number 4":     edit(q75, at(markDQT, 4, 4)),
		"no such huffman":    edit(q75, at(markSOS, 6, 0x33)),
		"no such component":  edit(q75, at(markSOS, 5, 9)),
		"components turned":  edit(q75, func(b []byte) []byte { i := segmentAt(t, b, markSOS); b[i+5], b[i+7] = 2, 1; return b }),
		"a band":             edit(q75, at(markSOS, 12, 5)),
		"a bit less":         edit(q75, at(markSOS, 13, 1)),
		"too many codes":     edit(q75, at(markDHT, 5, 3)),
		"short DRI":          edit(restart, at(markDRI, 3, 3)),
		"restarts uncalled":  edit(restart, func(b []byte) []byte { i := segmentAt(t, b, markDRI); return slices.Delete(b, i, i+6) }),
		"restarts out of":    edit(restart, at(markRST0, 1, 0xd1)),
		"restart missing":    edit(restart, func(b []byte) []byte { i := segmentAt(t, b, markRST0); return slices.Delete(b, i, i+2) }),
		"window":             nil,
		"stuffing cut short": edit(q75, func(b []byte) []byte { return append(b[:len(b)-2], 0xff) }),
	} {
		w := image.Rect(0, 0, 61, 47)
		if name == "window" {
			data, w = fixture(t, q75), image.Rect(0, 0, 62, 47)
		}
		var d Decoder
		if _, err := d.Decode(data, w); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every prefix lacks its end.
func TestPrefixesAreForeign(t *testing.T) {
	var d Decoder
	for _, name := range []string{"q75.jpg", "s420-scans.jpg", "s420-restart-1.jpg", "grey.jpg"} {
		data := fixture(t, name)
		w := whole(t, data)
		top := image.Rect(0, 0, w.Dx(), 1)
		for n := range data {
			for _, w := range []image.Rectangle{w, top} {
				if _, err := d.Decode(data[:n], w); !errors.Is(err, ErrForeign) {
					t.Fatalf("%s: the first %d of %d bytes pass for a picture in %v", name, n, len(data), w)
				}
			}
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	data := fixture(t, "q75.jpg")
	w := whole(t, data)
	var d Decoder
	var rows Rows
	line := make([]byte, 3*w.Dx())
	run := func() {
		planes, err := d.Decode(data, w)
		if err != nil {
			t.Fatal(err)
		}
		for y := range w.Dy() {
			var c [3][]byte
			for i := range c {
				c[i] = rows.Upsample(i, &planes[i], y, 0, w.Dx())
			}
			rows.Convert(line, c[0], c[1], c[2])
		}
	}
	run()
	if n := testing.AllocsPerRun(10, run); n != 0 {
		t.Errorf("%v allocations a picture", n)
	}
}

// A small file that claims a large picture costs little time and no panic.
func TestClaimedSizesAreNotBelieved(t *testing.T) {
	data := fixture(t, "q75.jpg")
	at := segmentAt(t, data, markSOF0)
	binary.BigEndian.PutUint16(data[at+5:], 65500)
	binary.BigEndian.PutUint16(data[at+7:], 2000)
	var d Decoder
	if _, err := d.Decode(data, image.Rect(900, 30000, 1100, 30100)); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
}
