package imaging

import (
	"encoding/binary"
	"strings"
	"testing"

	"icebox/extract/format"
)

// retagged returns a little-endian TIFF with another value of a tag, of which it has one value.
func retagged(t testing.TB, name string, tag, value uint16) []byte {
	t.Helper()
	data := fixture(t, name)
	le := binary.LittleEndian
	for at := int(le.Uint32(data[4:])) + 2; at+12 <= len(data); at += 12 {
		if le.Uint16(data[at:]) == tag {
			le.PutUint16(data[at+8:], value)
			return data
		}
	}
	t.Fatalf("%s has no tag %d", name, tag)
	return nil
}

func TestTIFFsThatAreNotReadSayWhy(t *testing.T) {
	for _, c := range []struct {
		data []byte
		why  string
	}{
		{retagged(t, "t-cmyk.tif", tagPhotometric, 8), "its colours are CIE L*a*b*"},
		{retagged(t, "t-cmyk.tif", tagPhotometric, 777), "its colours are a photometric interpretation of 777"},
		{retagged(t, "t-cmyk.tif", tagCompression, 6), "compression 6, which is JPEG in the way of TIFF 6.0"},
		{retagged(t, "t-cmyk.tif", tagCompression, 50000), "compression 50000, which is Zstandard"},
		{retagged(t, "t-cmyk.tif", tagCompression, 777), "compression 777, which is an unknown kind"},
		{retagged(t, "t-cmyk.tif", tagCompression, 4), "a fax of 4 samples of 8 bits a pixel"},
		{retagged(t, "t-grey12.tif", tagCompression, 7), "JPEG of 1 samples of 12 bits a pixel"},
		{retagged(t, "t-jpeg-420.tif", tagCompression, 8), "YCbCr that is no JPEG"},
		{retagged(t, "t-cmyk-lzw.tif", tagPredictor, 3), "predictor 3 of samples of 8 bits"},
		{retagged(t, "t-float-le.tif", tagBits, 64), "1 samples of 64 bits a pixel in format 3"},
		{retagged(t, "t-cmyk.tif", tagSamples, 33), "33 samples a pixel"},
	} {
		err := new(Preprocessor).Crop(new(Pixels), c.data)
		checkError(t, c.why, err, ErrUnsupported)
		if want := "this TIFF is not supported: " + c.why + " (save it as a plain JPEG or PNG)"; err == nil || err.Error() != want {
			t.Errorf("%v, not %q", err, want)
		}
	}
}

func TestDamagedTIFFsAreRefused(t *testing.T) {
	for what, data := range map[string][]byte{
		"no width":                       retagged(t, "t-cmyk.tif", tagWidth, 0),
		"more samples than depths":       retagged(t, "t-cmyk.tif", tagSamples, 5),
		"fewer samples than its colours": retagged(t, "t-cmyk.tif", tagSamples, 3),
		"fewer strips than it needs":     retagged(t, "t-cmyk-lzw.tif", tagRowsPerStrip, 4),
		"tiles of no width":              retagged(t, "t-tiles.tif", tagTileWidth, 0),
		"tiles that are huge":            retagged(t, "t-one-tile.tif", tagTileWidth, 60000),
		"a JPEG that is too small":       retagged(t, "t-jpeg-420-tiles.tif", tagTileWidth, 64),
		"a JPEG that is too large":       retagged(t, "t-jpeg-grey.tif", tagTileWidth, 40),
		"a JPEG of other samples":        retagged(t, "t-jpeg-whole.tif", tagPlanarConfig, 2),
	} {
		checkError(t, what, new(Preprocessor).Crop(new(Pixels), data), ErrFormat)
	}
}

// A packed file that ends early is called truncated, and every byte that is left out of its data
// is missed.
func TestPackedDataMustFillABlock(t *testing.T) {
	var d tiffDecoder
	for name, unpack := range map[string]func(dst, src []byte) error{
		"lzw":      func(dst, src []byte) error { return d.lzw.unpack(dst, src, new(Preprocessor).interrupted) },
		"packbits": unpackBits,
	} {
		// Nine bytes: a literal and runs of it.
		src := map[string][]byte{"lzw": {0x80, 0x10, 0x60, 0x50, 0x38, 0x1c, 0x04}, "packbits": {0, 65, 254, 65, 252, 65}}[name]
		whole := make([]byte, 9)
		if err := unpack(whole, src); err != nil || strings.Trim(string(whole), "A") != "" {
			t.Fatalf("%s: %q, %v", name, whole, err)
		}
		for n := range src {
			short := unpack(make([]byte, 9), src[:n])
			if n < len(src)-1 {
				checkError(t, name, short, ErrTruncated)
			}
		}
		if err := unpack(make([]byte, 10), src); err == nil {
			t.Errorf("%s: ten bytes of nine", name)
		}
	}
}

func TestLZWOfOldFilesAndNonsenseAreRefused(t *testing.T) {
	var l lzw
	go_ := new(Preprocessor).interrupted
	checkError(t, "bits the other way", l.unpack(make([]byte, 9), []byte{0, 1, 2}, go_), ErrUnsupported)
	checkError(t, "a string that is not there", l.unpack(make([]byte, 9), []byte{0x80, 0x7f, 0xff, 0xff}, go_), ErrFormat)
}

// Offsets of 64 bits may be any number.
func TestOffsetsOf64BitsLeadNowhere(t *testing.T) {
	data := fixture(t, "t-big.tif")
	var at int
	le := binary.LittleEndian
	for at = 24; le.Uint16(data[at:]) != tagStripOffsets; at += 20 {
	}
	le.PutUint64(data[le.Uint64(data[at+12:]):], 1<<63)
	checkError(t, "a strip", new(Preprocessor).Crop(new(Pixels), data), ErrTruncated)
	le.PutUint64(data[at+12:], 1<<63)
	checkError(t, "the offsets", new(Preprocessor).Crop(new(Pixels), data), ErrFormat)
	le.PutUint64(data[8:], 1<<63)
	checkError(t, "the directory", new(Preprocessor).Crop(new(Pixels), data), ErrTruncated)
	if format.Sniff(data) != format.TIFF {
		t.Error("it is no TIFF")
	}
}
