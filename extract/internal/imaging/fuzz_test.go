package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	stdjpeg "image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"icebox/extract/format"
)

// fuzzedPixels is the largest picture that the fuzzers of this file decode, so that they
// try many.
const fuzzedPixels = 1 << 13

// oracle is a decoder beside ours.
type oracle struct {
	kind   format.Format
	decode func(io.Reader) (image.Image, error)
	// exact is the picture that ours must show, or nil where that says nothing: colours
	// that are subsampled are spread in another way here.
	exact func(data []byte, img image.Image) image.Image
	// seal, if set, corrects checksums, so that changed bytes get past them.
	seal func(data []byte) []byte
	// lax, if set, tells of files that only ours finds damaged.
	lax func(data []byte) bool
}

// fuzz holds that ours and the oracle take the same files, that the size in the header is
// that of the picture, and that the crop is that of the same pixels in a plain PNG.
func (o oracle) fuzz(f *testing.F, seeds ...[]byte) {
	for i, s := range seeds {
		f.Add(s, uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, fit uint8) {
		if o.seal != nil {
			data = o.seal(data)
		}
		info, err := Probe(data)
		if err != nil {
			checkClassed(t, "probe", err)
			return
		}
		if info.Format != o.kind.String() || info.Width > fuzzedPixels/info.Height {
			return
		}
		p, err := New(Options{MaxPixels: fuzzedPixels, Fit: []string{FitCrop, FitSquash, FitPad}[fit%3]})
		if err != nil {
			t.Fatal(err)
		}
		got := new(Pixels)
		failed := p.Crop(got, data)
		if failed != nil {
			checkClassed(t, "crop", failed)
		}
		img, refused := o.decode(bytes.NewReader(data))
		if refused != nil {
			return
		}
		if failed != nil {
			if o.lax == nil || !o.lax(data) {
				o.checkRefusal(t, info, img, failed)
			}
			return
		}
		if size := img.Bounds().Max; o.kind != format.GIF && size != image.Pt(info.Width, info.Height) {
			t.Fatalf("the header says %d×%d, the picture has %v", info.Width, info.Height, size)
		}
		if want := o.exact(data, img); want != nil {
			if *mustCrop(t, p, plainPNG(t, turned(want, info.Orientation))) != *got {
				t.Fatalf("fit %d: the crop of %d×%d pixels is not that of the same pixels in a PNG", fit%3, info.Width, info.Height)
			}
		}
	})
}

// checkRefusal allows ours to refuse what the oracle takes where a kind is not read at all,
// or where the sizes in a file contradict each other.
func (o oracle) checkRefusal(t *testing.T, info Info, img image.Image, err error) {
	t.Helper()
	size := img.Bounds()
	odd := size.Dx() != info.Width || size.Dy() != info.Height
	if !errors.Is(err, ErrUnsupported) && !odd {
		t.Fatalf("%v, but the other decoder makes %d×%d pixels of it", err, size.Dx(), size.Dy())
	}
}

// asItIs expects the pixels as the oracle decodes them.
func asItIs(_ []byte, img image.Image) image.Image { return img }

// rgb is a colour without its alpha, as Pillow drops it, and of 16 bits the upper 8.
func rgb(c color.Color) color.NRGBA {
	unmultiplied := func(r, g, b, a uint8) color.NRGBA {
		if a == 0 {
			return color.NRGBA{A: 255}
		}
		divide := func(v uint8) uint8 { return uint8(min(int(v)*255/int(a), 255)) }
		return color.NRGBA{divide(r), divide(g), divide(b), 255}
	}
	switch c := c.(type) {
	case color.NRGBA:
		return color.NRGBA{c.R, c.G, c.B, 255}
	case color.NRGBA64:
		return color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), 255}
	case color.RGBA:
		return unmultiplied(c.R, c.G, c.B, c.A)
	case color.RGBA64:
		return unmultiplied(uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8), uint8(c.A>>8))
	}
	r, g, b, _ := c.RGBA()
	return color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
}

// plainPNG writes a picture as opaque pixels of 8 bits a colour.
func plainPNG(tb testing.TB, img image.Image) []byte {
	b := img.Bounds()
	plain := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			plain.SetNRGBA(x, y, rgb(img.At(b.Min.X+x, b.Min.Y+y)))
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&out, plain); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// turned is a picture with an EXIF orientation as it is to be seen.
func turned(img image.Image, orientation int) image.Image {
	if orientation == int(upright) {
		return img
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	seen := image.NewNRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		seen = image.NewNRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			at := [9]image.Point{
				2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
			}[orientation]
			seen.SetNRGBA(at.X, at.Y, rgb(img.At(img.Bounds().Min.X+x, img.Bounds().Min.Y+y)))
		}
	}
	return seen
}

// pattern draws a small picture.
func pattern(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(i*i/3 + 17*i)
	}
	return img
}

// copied draws a picture into one of another kind.
func copied[I interface {
	image.Image
	Set(x, y int, c color.Color)
}](to I) I {
	from := pattern(to.Bounds().Dx(), to.Bounds().Dy())
	for y := range from.Rect.Dy() {
		for x := range from.Rect.Dx() {
			to.Set(x, y, from.At(x, y))
		}
	}
	return to
}

// kinds are pictures of every kind that the encoders know.
func kinds() []image.Image {
	r := image.Rect(0, 0, 7, 5)
	palette := color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 9, 255}, color.NRGBA{7, 8, 9, 255}, color.NRGBA{1, 2, 250, 255}}
	return []image.Image{
		pattern(7, 5), copied(image.NewNRGBA64(r)), copied(image.NewGray(r)), copied(image.NewGray16(r)),
		copied(image.NewRGBA(r)), copied(image.NewPaletted(r, palette)),
	}
}

// encodedKinds are all of them that an encoder takes.
func encodedKinds(encode func(io.Writer, image.Image) error) (files [][]byte) {
	for _, img := range kinds() {
		var out bytes.Buffer
		if encode(&out, img) == nil {
			files = append(files, out.Bytes())
		}
	}
	return files
}

func fixtures(tb testing.TB, names ...string) (files [][]byte) {
	for _, name := range names {
		files = append(files, fixture(tb, name))
	}
	return files
}

func FuzzPNG(f *testing.F) {
	seeds := append(encodedKinds(png.Encode), fixtures(f, "palette2-trns.png", "grey4-trns.png", "rgb16-trns.png", "exif6.png")...)
	oracle{format.PNG, png.Decode, asItIs, sealPNG, nil}.fuzz(f, seeds...)
}

// sealPNG corrects the checksums of all chunks that are whole.
func sealPNG(data []byte) []byte {
	const signature = 8
	if len(data) < signature {
		return data
	}
	out, rest := bytes.Clone(data[:signature]), data[signature:]
	for len(rest) >= 12 {
		n := uint64(binary.BigEndian.Uint32(rest)) + 12
		if n > uint64(len(rest)) {
			break
		}
		out, rest = appendChunk(out, string(rest[4:8]), rest[8:n-4]), rest[n:]
	}
	return append(out, rest...)
}

// The canvas around a frame has the colour that the header names as transparent, or else the
// first. The oracle forgets the colour of transparent pixels, which ours shows.
func FuzzGIF(f *testing.F) {
	seeds := append(encodedKinds(func(w io.Writer, img image.Image) error { return gif.Encode(w, img, &gif.Options{NumColors: 8}) }),
		fixtures(f, "part.gif", "part-transparent.gif", "interlaced.gif")...)
	exact := func(data []byte, img image.Image) image.Image {
		frame := img.(*image.Paletted)
		for _, c := range frame.Palette {
			if _, _, _, a := c.RGBA(); a == 0 {
				return nil
			}
		}
		canvas := image.Rect(0, 0, int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:])))
		whole := image.NewNRGBA(canvas)
		for y := range canvas.Dy() {
			for x := range canvas.Dx() {
				c := frame.Palette[0]
				if image.Pt(x, y).In(frame.Rect) {
					c = frame.At(x, y)
				}
				whole.SetNRGBA(x, y, rgb(c))
			}
		}
		return whole
	}
	oracle{format.GIF, gif.Decode, exact, nil, nil}.fuzz(f, seeds...)
}

func FuzzBMP(f *testing.F) {
	seeds := append(encodedKinds(bmp.Encode), fixtures(f, "bilevel.bmp", "rgba.bmp")...)
	oracle{format.BMP, bmp.Decode, asItIs, nil, nil}.fuzz(f, seeds...)
}

func FuzzWebP(f *testing.F) {
	exact := func(_ []byte, img image.Image) image.Image {
		if lossless, ok := img.(*image.NRGBA); ok {
			return lossless
		}
		return nil
	}
	seeds := fixtures(f, "lossy-1x1.webp", "lossy-2x5.webp", "lossy-17x1.webp", "lossless.webp", "lossless-alpha.webp", "lossy-alpha.webp", "animated-lossless.webp", "exif6.webp")
	oracle{format.WebP, webp.Decode, exact, nil, nil}.fuzz(f, seeds...)
}

// The oracle takes 0 of a fax for white, whatever the file says that it is, looks for a predictor
// where there can be none, and does not look at the number of samples a pixel.
func FuzzTIFF(f *testing.F) {
	exact := func(data []byte, img image.Image) image.Image {
		tags := tiffTags{}
		entries(data, func(f field, _ uint64) bool { tags[f.tag] = tiffValues{f}; return true })
		bits := max(tags[tagBits].len(), 1)
		switch c := tags.get(tagCompression, tiffRaw); {
		case (c == tiffGroup3 || c == tiffGroup4) && tags.get(tagPhotometric, 0) == tiffBlackIsZero,
			c != tiffLZW && c != tiffDeflate && c != tiffOldDeflate && tags.get(tagPredictor, 1) != 1,
			tags.get(tagSamples, bits) != bits:
			return nil
		}
		return img
	}
	seeds := append(encodedKinds(func(w io.Writer, img image.Image) error { return tiff.Encode(w, img, nil) }),
		encodedKinds(func(w io.Writer, img image.Image) error {
			return tiff.Encode(w, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		})...)
	seeds = append(seeds, fixtures(f, "bilevel-g4.tif", "bilevel-g3.tif", "rgb-packbits.tif", "rgb-tiff_lzw.tif", "premultiplied.tif", "orientation6.tif", "t-tiles-grey.tif", "t-tiles-16.tif", "t-padded-5.tif")...)
	oracle{format.TIFF, tiff.Decode, exact, nil, nil}.fuzz(f, seeds...)
}

// FuzzJPEG compares what is taken and the sizes; package jpeg compares the samples. Of a
// progressive JPEG the oracle takes bands that end too late.
func FuzzJPEG(f *testing.F) {
	seeds := append(encodedKinds(func(w io.Writer, img image.Image) error { return stdjpeg.Encode(w, img, nil) }),
		fixtures(f, "grey-progressive.jpg", "cmyk-420.jpg", "ycck-420.jpg", "exif6.jpg", "s420-restart-1.jpg", "rgb-names.jpg", "f411-3x3.jpg")...)
	progressive := func(data []byte) bool {
		h, err := parseHeader(data)
		return err == nil && h.jpeg.progressive
	}
	oracle{format.JPEG, stdjpeg.Decode, func([]byte, image.Image) image.Image { return nil }, nil, progressive}.fuzz(f, seeds...)
}

// FuzzFit holds that a picture of any shape with an orientation is cropped as the picture
// that it is turned to, whatever the fit, and that a background of its own changes nothing
// within an opaque one.
func FuzzFit(f *testing.F) {
	f.Add(uint16(30), uint16(40), uint8(1), uint8(0), uint8(3))
	f.Add(uint16(1), uint16(300), uint8(6), uint8(1), uint8(9))
	f.Add(uint16(257), uint16(2), uint8(8), uint8(2), uint8(200))
	f.Fuzz(func(t *testing.T, width, height uint16, orientation, fit, seed uint8) {
		w, h, o := 1+int(width)%400, 1+int(height)%400, 1+int(orientation)%8
		if w > fuzzedPixels/h {
			return
		}
		img := pattern(w, h)
		for i := range img.Pix {
			img.Pix[i] ^= byte(i*int(seed)) >> 1
		}
		for _, background := range []string{"", "#102030"} {
			p, err := New(Options{Fit: []string{FitCrop, FitSquash, FitPad}[fit%3], Background: background})
			if err != nil {
				t.Fatal(err)
			}
			got := *mustCrop(t, p, withEXIF(plainPNG(t, img), o))
			if want := *mustCrop(t, p, plainPNG(t, turned(img, o))); got != want {
				t.Fatalf("%d×%d, orientation %d, fit %d: another crop than of the picture turned", w, h, o, fit%3)
			}
		}
	})
}

// withEXIF puts an orientation into a PNG, behind its header.
func withEXIF(file []byte, orientation int) []byte {
	const header = 33
	return append(appendChunk(bytes.Clone(file[:header]), "eXIf", exifOf(uint16(orientation))), file[header:]...)
}

// FuzzColour holds that a colour that is read is read again from its own digits.
func FuzzColour(f *testing.F) {
	for _, text := range []string{"white", "black", "#ff8000", "#FF80", "", "#gggggg"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Colour(text)
		if err != nil {
			return
		}
		const digits = "0123456789abcdef"
		again := "#"
		for _, v := range c {
			again += string(digits[v>>4]) + string(digits[v&15])
		}
		if same, err := Colour(again); err != nil || same != c {
			t.Errorf("%q is %v, and %s is %v: %v", text, c, again, same, err)
		}
	})
}

// FuzzTIFFKinds holds that the kinds of TIFF that the oracle of FuzzTIFF does not know end in a
// picture or an error, without a panic that Crop would make one of.
func FuzzTIFFKinds(f *testing.F) {
	for _, data := range fixtures(f, "t-cmyk-planes.tif", "t-cmyk-lzw.tif", "t-big-tiles.tif", "t-big-be.tif", "t-jpeg-420.tif", "t-jpeg-planes.tif", "t-jpeg-cmyk.tif",
		"t-float-predicted-be.tif", "t-int32-predicted-le.tif", "t-palette2.tif", "t-rgb12.tif", "t-reversed-32773.tif", "t-padded-8.tif", "t-la-premultiplied.tif", "t-g3-reversed.tif") {
		f.Add(data)
	}
	var p Preprocessor
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHeader(data)
		if err != nil && strings.Contains(err.Error(), "the decoder failed") {
			t.Fatal(err)
		}
		if err != nil || h.kind != format.TIFF || h.width > fuzzedPixels/h.height || h.tiff.blockBytes() > 1<<20 || p.checkSize(h, len(data)) != nil {
			return
		}
		src, err := p.decodeTIFF(h, data)
		if err != nil {
			checkClassed(t, "decode", classify(format.TIFF, err))
			return
		}
		line := make([]byte, 3*h.width)
		for y := range h.height {
			src.row(line, y, 0, h.width)
			src.alphas(line, y, 0, h.width)
		}
		src.opaque()
	})
}
