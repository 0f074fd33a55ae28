package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/extract/format"
)

var classes = []error{ErrEmpty, ErrFormat, ErrTruncated, ErrTooLarge, ErrUnsupported}

// checkError checks what every error of the package promises: one class, one
// line, no prefix of a library.
func checkError(t testing.TB, what string, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%s: error %q is not of class %q", what, err, class)
		return
	}
	checkClassed(t, what, err)
}

func checkClassed(t testing.TB, what string, err error) {
	t.Helper()
	n := 0
	for _, c := range classes {
		if errors.Is(err, c) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%s: error %q is of %d classes", what, err, n)
	}
	text := err.Error()
	if text == "" || strings.ContainsAny(text, "\n\r") || strings.Contains(text, "jpeg:") || strings.Contains(text, "png:") {
		t.Errorf("%s: message %q is not one plain line", what, text)
	}
}

// pngHeader is a PNG of nothing but a header that claims a size.
func pngHeader(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 2, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
	return append(b, "\x00\x00\x00\x00IDAT\x00\x00\x00\x00"...)
}

// patched returns a fixture with other bytes at an offset.
func patched(t *testing.T, name string, at int, with string) []byte {
	b := fixture(t, name)
	copy(b[at:], with)
	return b
}

// jpegSized returns a fixture with another size in its frame header.
func jpegSized(t *testing.T, name string, marker byte, w, h uint16) []byte {
	b := fixture(t, name)
	at := bytes.Index(b, []byte{0xff, marker})
	if at < 0 {
		t.Fatalf("%s has no marker %#x", name, marker)
	}
	binary.BigEndian.PutUint16(b[at+5:], h)
	binary.BigEndian.PutUint16(b[at+7:], w)
	return b
}

func TestUnreadableFilesSayWhatTheyAre(t *testing.T) {
	for _, c := range []struct {
		name  string
		data  string
		class error
		text  string
	}{
		{"empty", "", ErrEmpty, "empty file (0 bytes)"},
		{"text", "hello, world\n", ErrFormat, "not an image (looks like text)"},
		{"umlaut cut", strings.Repeat("x", 511) + "é", ErrFormat, "not an image (looks like text)"},
		{"text of two telling letters", "BMW and other makes", ErrFormat, "not an image (looks like text)"},
		{"page", "<!DOCTYPE html>\n<html>", ErrFormat, "not an image (looks like a web page)"},
		{"drawing", "<?xml version=\"1.0\"?>\n<svg>", ErrFormat, "not an image (looks like an SVG drawing)"},
		{"pdf", "%PDF-1.7 ...", ErrFormat, "not an image (looks like a PDF)"},
		{"zip", "PK\x03\x04\x00\x00", ErrFormat, "not an image (looks like a ZIP archive)"},
		{"video", "\x00\x00\x00\x18ftypisom", ErrFormat, "not an image (looks like a video)"},
		{"zeros", "\x00\x00\x00\x00\x00\x00", ErrFormat, "not an image (looks like zeros)"},
		{"noise", "\x01\x02\x03\xff\xfe", ErrFormat, "not an image (looks like unknown binary data)"},
		{"heic", "\x00\x00\x00\x18ftypheic", ErrUnsupported, "HEIC is not supported (convert it to JPEG or PNG, with ImageMagick for example)"},
		{"avif in a general container", "\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif", ErrUnsupported, "AVIF is not supported (convert it to JPEG or PNG, with ImageMagick for example)"},
		{"avif", "\x00\x00\x00\x18ftypavif", ErrUnsupported, "AVIF is not supported (convert it to JPEG or PNG, with ImageMagick for example)"},
	} {
		_, err := Probe([]byte(c.data))
		checkError(t, c.name, err, c.class)
		if diff := cmp.Diff(c.text, err.Error()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestHugeSizesAreRefusedBeforeDecoding(t *testing.T) {
	gif := patched(t, "plain.gif", 6, "\xff\xff\xff\xff")
	webp := patched(t, "animated-lossy.webp", 24, "\xff\xff\x00\xff\xff\x00")
	bmp := patched(t, "rgb.bmp", 18, "\x00\x00\x01\x00\x00\x00\x01\x00")
	tiff := fixture(t, "rgb16.tif")
	for _, tag := range []string{"\x00\x01\x04\x00", "\x01\x01\x04\x00"} {
		at := bytes.LastIndex(tiff, []byte(tag))
		binary.LittleEndian.PutUint32(tiff[at+8:], 60000)
	}
	for name, data := range map[string][]byte{
		"PNG":              pngHeader(60000, 60000),
		"PNG of one row":   pngHeader(1<<31-1, 1),
		"JPEG":             jpegSized(t, "q75.jpg", 0xc0, 60000, 60000),
		"progressive JPEG": jpegSized(t, "progressive.jpg", 0xc2, 65535, 65535),
		"GIF":              gif, "WebP": webp, "BMP": bmp, "TIFF": tiff,
	} {
		var p Preprocessor
		var dst Pixels
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := p.Crop(&dst, data)
		runtime.ReadMemStats(&after)
		checkError(t, name, err, ErrTooLarge)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes allocated to refuse it", name, n)
		}
	}
}

// A header within the limit that the file cannot fill must not cost memory.
func TestImplausibleSizesAreRefusedBeforeDecoding(t *testing.T) {
	for name, data := range map[string][]byte{
		"PNG":  pngHeader(11000, 11000),
		"JPEG": jpegSized(t, "q75.jpg", 0xc0, 11000, 11000),
		"BMP":  patched(t, "rgb.bmp", 18, "\x00\x20\x00\x00\x00\x20\x00\x00"),
	} {
		var p Preprocessor
		checkError(t, name, p.Crop(new(Pixels), data), ErrTruncated)
	}
}

func TestMaxPixelsIsTheLimit(t *testing.T) {
	data := fixture(t, "rgb.bmp") // 37×29
	for limit, want := range map[int64]error{37 * 29: nil, 37*29 - 1: ErrTooLarge, 1: ErrTooLarge, 0: nil} {
		p, err := New(Options{MaxPixels: limit})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Crop(new(Pixels), data); !errors.Is(err, want) {
			t.Errorf("limit %d: %v, want %v", limit, err, want)
		}
	}
	if _, err := New(Options{MaxPixels: -1}); err == nil {
		t.Error("a negative limit is accepted")
	}
}

func TestTruncatedFilesAreCalledTruncated(t *testing.T) {
	for _, name := range []string{
		"q75.jpg", "progressive.jpg", "restart.jpg", "f420-61x47.jpg", "rgb8.png", "rgb16.png", "plain.gif", "rgb.bmp",
		"runs-8.bmp", "runs-4.bmp", "raw-16.bmp", "os2-4.bmp", "lossy-61x47.webp", "lossless.webp", "lossless-alpha.webp", "rgb-raw.tif",
	} {
		whole := fixture(t, name)
		for _, keep := range []int{len(whole) - len(whole)/4, len(whole) / 2, 26} {
			var p Preprocessor
			err := p.Crop(new(Pixels), whole[:keep])
			if err == nil {
				t.Errorf("%s: the first %d of %d bytes pass for an image", name, keep, len(whole))
				continue
			}
			// A TIFF's directory is at its end: without it nothing says what the rest is.
			if strings.HasSuffix(name, ".tif") && errors.Is(err, ErrFormat) {
				continue
			}
			checkError(t, name, err, ErrTruncated)
		}
	}
}

// Of what is whole, nothing changes; of what is cut off, a plain JPEG and a PNG are
// pictures as soon as their pixels begin, and others are refused as ever.
func TestAcceptingTruncatedFilesChangesNoOther(t *testing.T) {
	accepts, err := New(Options{AcceptTruncated: true})
	if err != nil {
		t.Fatal(err)
	}
	var refuses Preprocessor
	for _, g := range loadGolden(t).Images {
		data := fixture(t, g.File)
		if *mustCrop(t, accepts, data) != *mustCrop(t, &refuses, data) || accepts.Traits().Truncated {
			t.Errorf("%s is whole: %+v", g.File, accepts.Traits())
		}
	}
	for _, name := range []string{"plain.gif", "rgb.bmp", "lossy-61x47.webp", "lossless.webp", "rgb-raw.tif"} {
		data := fixture(t, name)
		data = data[:len(data)*3/4]
		want, got := refuses.Crop(new(Pixels), data), accepts.Crop(new(Pixels), data)
		if want == nil || got == nil || got.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for name, data := range map[string][]byte{
		"a restart marker of another number": patched(t, "restart.jpg", 715, "\xd6"),
		"rows that do not unpack":            patched(t, "rgb8.png", 90, "\x00\xff\x00\xff"),
	} {
		want, got := refuses.Crop(new(Pixels), data), accepts.Crop(new(Pixels), data)
		if want == nil || got == nil || got.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if err := accepts.Crop(new(Pixels), pngHeader(11000, 11000)); err == nil {
		t.Error("a PNG without pixels is accepted")
	}
}

func TestEveryPrefixFailsCleanly(t *testing.T) {
	for _, name := range []string{"f420-3x3.jpg", "palette2-trns.png", "part.gif", "bilevel.bmp", "lossy-2x5.webp", "lossy-alpha.webp", "white-is-zero.tif"} {
		whole := fixture(t, name)
		for _, accept := range []bool{false, true} {
			p, err := New(Options{AcceptTruncated: accept, Background: "white", Fit: FitPad})
			if err != nil {
				t.Fatal(err)
			}
			for n := range whole {
				if err := p.Crop(new(Pixels), whole[:n]); err != nil {
					checkClassed(t, name, err)
				}
			}
		}
	}
}

func TestUnsupportedKindsSaySo(t *testing.T) {
	var p Preprocessor
	checkError(t, "factors", p.Crop(new(Pixels), fixture(t, "fractional-factors.jpg")), ErrUnsupported)
	frame := func(with string) []byte {
		b := fixture(t, "f444-61x47.jpg")
		copy(b[bytes.Index(b, []byte("\xff\xc0")):], with)
		return b
	}
	for name, data := range map[string][]byte{
		"arithmetic": frame("\xff\xc9"),
		"lossless":   frame("\xff\xc3"),
		"12 bits":    frame("\xff\xc1\x00\x11\x0c"),
		"no height":  frame("\xff\xc0\x00\x11\x08\x00\x00"),
	} {
		var p Preprocessor
		checkError(t, name, p.Crop(new(Pixels), data), ErrUnsupported)
	}
}

func TestDecoderErrorsReadWell(t *testing.T) {
	badCRC := fixture(t, "rgb8.png")
	badCRC[len(badCRC)-20] ^= 1
	for name, c := range map[string]struct {
		data []byte
		text string
	}{
		"factors":  {fixture(t, "fractional-factors.jpg"), "this JPEG is not supported: luma/chroma subsampling ratio (save it as a plain JPEG or PNG)"},
		"colours":  {retagged(t, "t-cmyk.tif", tagPhotometric, 8), "this TIFF is not supported: its colours are CIE L*a*b* (save it as a plain JPEG or PNG)"},
		"checksum": {badCRC, "damaged PNG: zlib: invalid checksum"},
		"cut off":  {fixture(t, "rgb8.png")[:200], "truncated PNG: the file ends before the image does"},
		"size":     {pngHeader(60000, 60000), "PNG of 60000×60000 pixels exceeds the limit of 134217728 pixels (raise the limit, or shrink the image)"},
	} {
		var p Preprocessor
		err := p.Crop(new(Pixels), c.data)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if diff := cmp.Diff(c.text, err.Error()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestDecoderPanicIsAnErrorOfTheFile(t *testing.T) {
	crash := func() (err error) {
		defer recovered(format.PNG, &err)
		panic("index out of range")
	}
	checkError(t, "panic", crash(), ErrFormat)
}

// Damage that the standard library's decoder finds is found where only a part
// of the picture is wanted, too.
func TestDamageIsFoundOutsideTheCropToo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var p Preprocessor
	refused := 0
	for _, name := range []string{"q75.jpg", "restart.jpg", "s420-scans.jpg", "s444-restart.jpg", "grey.jpg", "quality90.jpg"} {
		data := fixture(t, name)
		for range 500 {
			b, at, n := bytes.Clone(data), r.IntN(len(data)), r.IntN(50)
			switch r.IntN(3) {
			case 0:
				b[at] ^= 1 << r.IntN(8)
			case 1:
				clear(b[at:min(at+n, len(b))])
			default:
				b = slices.Delete(b, at, min(at+n, len(b)))
			}
			h, err := parseHeader(b)
			if err != nil || p.checkSize(h, len(b)) != nil || h.width*h.height > 1<<20 {
				continue
			}
			window := image.Rect(h.width/3, h.height/4, (h.width+1)/2, (h.height+1)/2)
			_, standard := p.decodeOtherJPEG(h, b)
			if standard != nil {
				refused++
			}
			if _, err := p.jpeg.Decode(b, window); err == nil && standard != nil {
				t.Errorf("%s, damaged at byte %d: accepted, though %v", name, at, standard)
			}
		}
	}
	if refused < 300 {
		t.Errorf("only %d files are unreadable", refused)
	}
}

// After a bad image a Preprocessor must work as if new.
func TestFailuresLeaveNoTrace(t *testing.T) {
	good := fixture(t, "f420-61x47.jpg")
	var p Preprocessor
	want := *mustCrop(t, &p, good)
	for _, name := range []string{"q75.jpg", "cmyk-420.jpg", "plain.gif", "lossy-61x47.webp", "rgb16.png"} {
		bad := fixture(t, name)
		_ = p.Crop(new(Pixels), bad[:len(bad)*2/3])
		if *mustCrop(t, &p, good) != want {
			t.Errorf("after a truncated %s the same image gives another crop", name)
		}
	}
}

func FuzzCrop(f *testing.F) {
	for _, name := range []string{
		"f420-3x3.jpg", "f411-3x3.jpg", "s420-restart-1.jpg", "ycck-420.jpg", "grey-progressive.jpg", "exif6.jpg", "palette2-trns.png", "la16.png", "part-transparent.gif",
		"bilevel.bmp", "rgba.bmp", "runs-8.bmp", "runs-4.bmp", "fields-565.bmp", "os2-1.bmp", "fields-rgba.bmp", "lossy-2x5.webp", "lossy-alpha.webp", "animated-lossy.webp", "bilevel-g4.tif", "premultiplied.tif", "rgb-packbits.tif",
	} {
		f.Add(fixture(f, name))
	}
	p, err := New(Options{MaxPixels: 1 << 16})
	if err != nil {
		f.Fatal(err)
	}
	forgiving, err := New(Options{MaxPixels: 1 << 16, Fit: FitPad, Background: "white", AcceptTruncated: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := forgiving.Crop(new(Pixels), data); err != nil {
			checkClassed(t, "crop", err)
		}
		var dst Pixels
		info, probed := Probe(data)
		if err := p.Crop(&dst, data); err != nil {
			checkClassed(t, "crop", err)
			return
		}
		if probed != nil || info.Width < 1 || info.Height < 1 || info.Orientation < 1 || info.Orientation > 8 {
			t.Errorf("cropped, but Probe says %+v, %v", info, probed)
		}
	})
}
