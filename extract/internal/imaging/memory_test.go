//go:build !race

// The race detector makes slices grow otherwise, which is not what is counted here.

package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// takes is how many bytes are allocated while a new Preprocessor makes a crop, garbage and
// the file among them, and how many Memory promises.
func takes(t *testing.T, data []byte, o Options) (got, promised int64, err error) {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if promised, err = p.Memory(data); err != nil {
		return 0, 0, err
	}
	runtime.GC()
	before := memory()
	err = p.Crop(new(Pixels), data)
	return int64(memory()-before) + int64(len(data)), promised, err
}

// checkTakes fails where an image takes more than Memory promises, or where it promises
// more than generous times what the image takes.
func checkTakes(t *testing.T, what string, data []byte, generous int64) {
	t.Helper()
	for _, o := range []Options{{}, {Fit: FitPad}, {Fit: FitSquash, AcceptTruncated: true}} {
		got, promised, err := takes(t, data, o)
		if promised == 0 {
			t.Errorf("%s: %v", what, err)
			return
		}
		if got > promised*7/5 { // got counts what was freed meanwhile, too
			t.Errorf("%s (%+v): %d bytes promised, %d taken (%v)", what, o, promised, got, err)
		}
		if o == (Options{}) && err == nil && promised > generous*got+4<<20 {
			t.Errorf("%s: %d bytes promised, only %d taken (%v)", what, promised, got, err)
		}
	}
}

func TestFixturesTakeWhatTheirHeadersPromise(t *testing.T) {
	files, err := filepath.Glob("testdata/images/*")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, promised, err := takes(t, data, Options{})
		if promised > 0 && got > promised {
			t.Errorf("%s: %d bytes promised, %d taken (%v)", path, promised, got, err)
		}
	}
}

// large returns pictures of some size of each kind that can be written here.
func large(t *testing.T) map[string][]byte {
	t.Helper()
	r := image.Rect(0, 0, 700, 500)
	nrgba, nrgba64 := image.NewNRGBA(r), image.NewNRGBA64(r)
	for y := range 500 {
		for x := range 700 {
			nrgba.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(y), uint8(x * y), 200})
			nrgba64.SetNRGBA64(x, y, color.NRGBA64{uint16(x), uint16(y), uint16(x * y), 1000})
		}
	}
	paletted := image.NewPaletted(r, color.Palette{color.Black, color.White})
	kinds := map[string]image.Image{"alpha": nrgba, "16-bit": nrgba64, "grey": image.NewGray(r), "grey16": image.NewGray16(r), "palette": paletted}
	files := map[string][]byte{}
	put := func(name string, encode func(b *bytes.Buffer) error) {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(name, err)
		}
		files[name] = b.Bytes()
	}
	for name, img := range kinds {
		put(name+".png", func(b *bytes.Buffer) error { return png.Encode(b, img) })
		put(name+".tif", func(b *bytes.Buffer) error { return tiff.Encode(b, img, nil) })
		put(name+"-deflate.tif", func(b *bytes.Buffer) error { return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate}) })
	}
	put("plain.gif", func(b *bytes.Buffer) error { return gif.Encode(b, paletted, nil) })
	put("plain.bmp", func(b *bytes.Buffer) error { return bmp.Encode(b, nrgba) })
	return files
}

func TestLargePicturesTakeWhatTheirHeadersPromise(t *testing.T) {
	for name, data := range large(t) {
		checkTakes(t, name, data, 2)
	}
}

// A file that claims a size has its claim counted, whether or not its data bear it out.
func TestClaimsAreCounted(t *testing.T) {
	padded := func(data []byte) []byte { return append(data, make([]byte, 1<<19)...) }
	for name, marker := range map[string]byte{"f420-61x47.jpg": 0xc0, "cmyk-420.jpg": 0xc0, "ycck-420.jpg": 0xc0, "grey-progressive.jpg": 0xc2, "progressive.jpg": 0xc2} {
		checkTakes(t, name, padded(jpegSized(t, name, marker, 2000, 1000)), 4)
	}
	for _, chunk := range []string{"VP8 ", "VP8L"} {
		checkTakes(t, chunk, claimingWebP(chunk, 2000, 1500), 12)
	}
	checkTakes(t, "hole.tif", holeTIFF(2000, 1500), 4)
}

// claimingWebP is a WebP of nothing but a header that claims a size.
func claimingWebP(chunk string, w, h int) []byte {
	body := make([]byte, 64)
	if chunk == "VP8L" {
		body[0] = 0x2f
		binary.LittleEndian.PutUint32(body[1:], uint32(w-1)|uint32(h-1)<<14)
	} else {
		copy(body, "\x50\x01\x00\x9d\x01\x2a") // a key frame, whose first partition has 10 bytes
		binary.LittleEndian.PutUint16(body[6:], uint16(w))
		binary.LittleEndian.PutUint16(body[8:], uint16(h))
	}
	out := []byte("RIFF\x00\x00\x00\x00WEBP" + chunk)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, body...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// holeTIFF is an RGB picture in one strip of zeros.
func holeTIFF(w, h int) []byte {
	var b bytes.Buffer
	entries := []struct {
		tag, typ uint16
		n, value uint32
	}{
		{256, 4, 1, uint32(w)}, {257, 4, 1, uint32(h)}, {258, 3, 3, 200}, {259, 3, 1, 1}, {262, 3, 1, 2},
		{273, 4, 1, 256}, {277, 3, 1, 3}, {278, 4, 1, uint32(h)}, {279, 4, 1, uint32(3 * w * h)},
	}
	b.WriteString("II*\x00\x08\x00\x00\x00")
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	put(uint16(len(entries)))
	for _, e := range entries {
		put(e)
	}
	b.Write(make([]byte, 200-b.Len()))
	put([]uint16{8, 8, 8})
	b.Write(make([]byte, 256+3*w*h-b.Len()))
	return b.Bytes()
}

func TestMemoryIsTheLimit(t *testing.T) {
	data := large(t)["alpha.png"]
	var free Preprocessor
	need, err := free.Memory(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		limit int64
		ok    bool
	}{{need - 1, false}, {need, true}} {
		p, err := New(Options{Memory: c.limit})
		if err != nil {
			t.Fatal(err)
		}
		err = p.Crop(new(Pixels), data)
		var m *MemoryError
		if c.ok && err != nil || !c.ok && (!errors.As(err, &m) || m.Need != need || m.Limit != c.limit) {
			t.Errorf("limit %d of %d: %v", c.limit, need, err)
		}
		if !c.ok {
			checkError(t, "over the limit", err, ErrTooLarge)
		}
	}
}

// A picture inside an animation is bounded by its canvas, which is what was checked.
func TestAFrameBeyondItsCanvasIsRefused(t *testing.T) {
	frame := make([]byte, frameHeader)
	frame = append(frame, claimingWebP("VP8L", 9000, 9000)[12:]...)
	out := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x0f\x00\x00\x0f\x00\x00ANMF")
	out = append(binary.LittleEndian.AppendUint32(out, uint32(len(frame))), frame...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	var p Preprocessor
	before := memory()
	checkError(t, "a large frame", p.Crop(new(Pixels), out), ErrFormat)
	if got := memory() - before; got > 1<<20 {
		t.Errorf("it took %d bytes", got)
	}
}
