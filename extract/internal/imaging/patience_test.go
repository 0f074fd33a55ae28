package imaging

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func firstFixture(t *testing.T, pattern string) (name string, data []byte) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("testdata", "images", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no fixture %s: %v", pattern, err)
	}
	data, err = os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return found[0], data
}

// A progressive JPEG of 60 kB with thousands of scans keeps a decoder busy for minutes.
func TestTooManyScansAreRefused(t *testing.T) {
	_, data := firstFixture(t, "*progressive*.jpg")
	h, err := parseHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	_, next := nextMarker(data, h.jpeg.scan)
	_, end := nextMarker(data, next)
	scan := data[h.jpeg.scan : end-2]
	var p Preprocessor
	var crop Pixels
	if err := p.Crop(&crop, data); err != nil {
		t.Fatalf("as it is: %v", err)
	}
	many := bytes.Join([][]byte{data[:h.jpeg.scan], bytes.Repeat(scan, 2000), data[h.jpeg.scan:]}, nil)
	start := time.Now()
	if err := p.Crop(&crop, many); !errors.Is(err, ErrTooLarge) {
		t.Errorf("2,000 scans: %v", err)
	}
	t.Logf("refused in %v", time.Since(start))

	// Few scans of very many pixels are as much work.
	large := bytes.Join([][]byte{data[:h.jpeg.scan], bytes.Repeat(scan, 30), data[h.jpeg.scan:]}, nil)
	frame := bytes.Index(large, []byte{0xff, 0xc2})
	binary.BigEndian.PutUint16(large[frame+5:], 11_000)
	binary.BigEndian.PutUint16(large[frame+7:], 12_000)
	if h, err := parseHeader(large); err != nil || !errors.Is(checkScans(h, large), ErrTooLarge) {
		t.Errorf("30 scans of 132 million pixels: %v", err)
	}
}

// impatient is a context that ends when it has been asked a number of times.
type impatient struct {
	context.Context
	left int
}

func (c *impatient) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestDecodersGiveUpWhenTheContextEnds(t *testing.T) {
	for _, pattern := range []string{"*progressive*.jpg", "*.png", "*.gif", "*.bmp", "t-tiles.tif", "t-lzw-many-codes.tif", "bilevel-g4.tif"} {
		name, data := firstFixture(t, pattern)
		var p Preprocessor
		var crop, again Pixels
		if err := p.CropContext(t.Context(), &crop, data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := p.CropContext(&impatient{t.Context(), 0}, &again, data); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if err := p.Crop(&again, data); err != nil || again != crop {
			t.Errorf("%s afterwards: %v, the same crop: %v", name, err, again == crop)
		}
	}
}

// A photo with a thousand segments of EXIF takes no longer than its bytes.
func TestLongEXIFIsSkipped(t *testing.T) {
	_, data := firstFixture(t, "exif8.jpg")
	at := bytes.Index(data, []byte("Exif\x00\x00"))
	if at < 4 {
		t.Fatal("the fixture has no EXIF")
	}
	whole := int(binary.BigEndian.Uint16(data[at-2:])) + at - 2
	filler := append([]byte{0xff, 0xe1, 0xff, 0xff}, append([]byte("Exif\x00\x00"), make([]byte, 0xffff-8)...)...)
	long := bytes.Join([][]byte{data[:whole], bytes.Repeat(filler, 1000), data[whole:]}, nil)
	want, err := parseHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	allocated := testing.AllocsPerRun(1, func() {
		got, err := parseHeader(long)
		if err != nil || got.orientation != want.orientation || got.width != want.width {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	})
	if allocated > 50 {
		t.Errorf("%v allocations", allocated)
	}
	var before, after uint64
	before = memory()
	if _, err := parseHeader(long); err != nil {
		t.Fatal(err)
	}
	if after = memory(); after-before > 8*maxEXIF {
		t.Errorf("%d bytes for %d of EXIF", after-before, len(long))
	}
}

// memory is how many bytes have been allocated so far.
func memory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
