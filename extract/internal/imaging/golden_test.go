package imaging

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden is testdata/golden.json: what Pillow and torchvision make of the
// fixtures. testdata/gen.py wrote it.
type golden struct {
	Images []struct {
		File, Format  string
		Width, Height int
		Orientation   int
		Crop, Stored  string // SHA-256 of the crop, with and without EXIF
	}
	Resizes []struct {
		Width, Height int
		Crop          string
	}
	Fits []struct {
		Width, Height     int
		Squash, Pad, Grey string // SHA-256 of each; Grey is Pad with a colour around it
	}
	Backgrounds []struct {
		File string
		Used bool // some pixel is not opaque
		Crop string
	}
	Truncated []struct {
		File string
		Keep int // bytes
		Crop string
	}
	Exif []struct {
		Blob        string
		Orientation int
	}
	Tensor struct {
		Width, Height int
		SHA256        string
	}
}

func loadGolden(t testing.TB) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Images) < 100 || len(g.Resizes) < 50 || len(g.Exif) < 50 || len(g.Fits) < 20 || len(g.Backgrounds) < 20 || len(g.Truncated) < 200 {
		t.Fatalf("golden.json holds %d images, %d resizes, %d EXIF streams, %d fits, %d backgrounds, %d truncated files: fewer than were generated",
			len(g.Images), len(g.Resizes), len(g.Exif), len(g.Fits), len(g.Backgrounds), len(g.Truncated))
	}
	return g
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "images", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func mustCrop(t testing.TB, p *Preprocessor, data []byte) *Pixels {
	t.Helper()
	dst := new(Pixels)
	if err := p.Crop(dst, data); err != nil {
		t.Fatal(err)
	}
	return dst
}

func TestCropEqualsPillow(t *testing.T) {
	// One Preprocessor for all: what an image leaves behind must not show.
	var withEXIF Preprocessor
	asStored, err := New(Options{IgnoreEXIF: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range loadGolden(t).Images {
		t.Run(g.File, func(t *testing.T) {
			data := fixture(t, g.File)
			if got := sum(mustCrop(t, &withEXIF, data)[:]); got != g.Crop {
				t.Errorf("crop differs from Pillow's")
			}
			if got := sum(mustCrop(t, asStored, data)[:]); got != g.Stored {
				t.Errorf("crop without EXIF differs from Pillow's")
			}
		})
	}
}

// ownAlpha are PNGs whose one transparent colour Pillow does not find: it compares the
// number in the file with samples that it has scaled to 8 bits.
var ownAlpha = map[string]bool{"grey2-trns.png": true, "grey4-trns.png": true, "rgb16-trns.png": true}

func TestBackgroundsEqualPillow(t *testing.T) {
	over, err := New(Options{Background: "#12ab9f"})
	if err != nil {
		t.Fatal(err)
	}
	var dropped Preprocessor
	used := map[string]bool{}
	for _, g := range loadGolden(t).Backgrounds {
		used[g.File] = g.Used || ownAlpha[g.File]
		got := mustCrop(t, over, fixture(t, g.File))
		if sum(got[:]) != g.Crop && !ownAlpha[g.File] {
			t.Errorf("%s: over a background it differs from Pillow's", g.File)
		}
	}
	for _, g := range loadGolden(t).Images {
		data := fixture(t, g.File)
		a, b := mustCrop(t, over, data), mustCrop(t, &dropped, data)
		over.traits.Measures, dropped.traits.Measures = Measures{}, Measures{} // the pixels differ
		if over.Traits() != dropped.Traits() || over.Traits().Alpha != used[g.File] {
			t.Errorf("%s: %+v, and %+v without a background", g.File, over.Traits(), dropped.Traits())
		}
		if !used[g.File] && *a != *b {
			t.Errorf("%s: a background changes an opaque picture", g.File)
		}
	}
}

func TestTruncatedFilesEqualPillow(t *testing.T) {
	p, err := New(Options{AcceptTruncated: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range loadGolden(t).Truncated {
		dst := new(Pixels)
		if err := p.Crop(dst, fixture(t, g.File)[:g.Keep]); err != nil || !p.Traits().Truncated {
			t.Errorf("%s, the first %d bytes: %v, %+v", g.File, g.Keep, err, p.Traits())
		} else if sum(dst[:]) != g.Crop {
			t.Errorf("%s, the first %d bytes: differs from Pillow's", g.File, g.Keep)
		}
	}
}

func TestProbeEqualsPillow(t *testing.T) {
	for _, g := range loadGolden(t).Images {
		got, err := Probe(fixture(t, g.File))
		if err != nil {
			t.Errorf("%s: %v", g.File, err)
			continue
		}
		want := Info{g.Format, g.Width, g.Height, g.Orientation}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-Pillow +ours):\n%s", g.File, diff)
		}
	}
}

// Rows asked for in parts, as a crop does, must join to the whole row.
func TestPartsOfRowsJoin(t *testing.T) {
	for _, g := range loadGolden(t).Images {
		var p Preprocessor
		data := fixture(t, g.File)
		h, err := parseHeader(data)
		if err != nil {
			t.Fatal(err)
		}
		src, err := p.decode(h, data, image.Rect(0, 0, h.width, h.height))
		if err != nil {
			t.Fatal(err)
		}
		w := h.width
		whole, part := make([]byte, 3*w), make([]byte, 3*w)
		for y := range h.height {
			src.row(whole, y, 0, w)
			for x := 0; x < w; x++ {
				end := min(x+1+(x+y)%5, w)
				n := 3 * (end - x)
				for i := range part {
					part[i] = 0xa5
				}
				src.row(part, y, x, end)
				if string(part[:n]) != string(whole[3*x:3*end]) {
					t.Fatalf("%s: columns %d to %d of row %d differ from the same in the whole row", g.File, x, end, y)
				}
				if rest := part[n:]; string(rest) != strings.Repeat("\xa5", len(rest)) {
					t.Fatalf("%s: columns %d to %d of row %d were asked for, and more written", g.File, x, end, y)
				}
			}
		}
	}
}

func TestLUTEqualsTorchvision(t *testing.T) {
	b, err := os.ReadFile("testdata/lut.f32")
	if err != nil {
		t.Fatal(err)
	}
	lut := LUT()
	for c := range lut {
		for v := range lut[c] {
			want := math.Float32frombits(binary.LittleEndian.Uint32(b[4*(256*c+v):]))
			if lut[c][v] != want {
				t.Errorf("channel %d, sample %d: %v, want %v", c, v, lut[c][v], want)
			}
		}
	}
}

func TestTensorEqualsTorchvision(t *testing.T) {
	g := loadGolden(t).Tensor
	crop := cropOf(drawn(g.Width, g.Height), upright)
	lut := LUT()
	var tensor []byte
	for c := range 3 {
		for i := c; i < len(crop); i += 3 {
			tensor = binary.LittleEndian.AppendUint32(tensor, math.Float32bits(lut[c][crop[i]]))
		}
	}
	if sum(tensor) != g.SHA256 {
		t.Error("normalised tensor differs from torchvision's")
	}
}
