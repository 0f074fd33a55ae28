package imaging

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

func TestOrientationEqualsPillow(t *testing.T) {
	for _, g := range loadGolden(t).Exif {
		blob, err := hex.DecodeString(g.Blob)
		if err != nil {
			t.Fatal(err)
		}
		if got := (metadata{exif: blob}).orientation(); got != g.Orientation {
			t.Errorf("%q: orientation %d, Pillow says %d", blob, got, g.Orientation)
		}
	}
}

func TestXMPCountsOnlyWithoutEXIF(t *testing.T) {
	six := []byte(`<a tiff:Orientation="6">`)
	exif3 := exifOf(3)
	for _, c := range []struct {
		name string
		m    metadata
		want int
	}{
		{"attribute", metadata{xmp: six}, 6},
		{"element", metadata{xmp: []byte("<tiff:Orientation>8</tiff:Orientation>")}, 8},
		{"second mention", metadata{xmp: []byte("tiff:Orientation tiff:Orientation=\"x\" tiff:Orientation>5<")}, 5},
		{"no number", metadata{xmp: []byte(`tiff:Orientation="`)}, 1},
		{"out of range", metadata{xmp: []byte(`tiff:Orientation="9"`)}, 1},
		{"EXIF first", metadata{exif: exif3, xmp: six}, 3},
		{"EXIF of value 1", metadata{exif: exifOf(1), xmp: six}, 1},
	} {
		if got := c.m.orientation(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// exifOf is a stream of one SHORT entry.
func exifOf(orientation uint16) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00")
	b = binary.LittleEndian.AppendUint16(b, orientation)
	return append(b, 0, 0, 0, 0, 0, 0)
}

func FuzzOrientation(f *testing.F) {
	f.Add(exifOf(6), []byte(`tiff:Orientation="3"`))
	f.Add([]byte("MM\x00*\xff\xff\xff\xff"), []byte("tiff:Orientation>"))
	f.Fuzz(func(t *testing.T, exif, xmp []byte) {
		if o := (metadata{exif: exif, xmp: xmp}).orientation(); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}
