package quality_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"testing"

	"icebox/extract"
	"icebox/pipeline/insight"
	"icebox/pipeline/quality"
)

// scene draws a picture with edges and many tones: discs and stripes on a gradient. tone
// makes the colour of a pixel of it.
func scene(w, h int, tone func(v float64) color.NRGBA) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := 256*float64(x)/float64(min(w, h)), 256*float64(y)/float64(min(w, h))
			level := u/4 + v/4
			if int(u/13)%2 == int(v/17)%2 {
				level = 255 - level/2
			}
			if math.Mod(math.Hypot(u-100, v-80), 40) < 20 {
				level = math.Mod(level*3, 256)
			}
			img.SetNRGBA(x, y, tone(level))
		}
	}
	return img
}

func plain(v float64) color.NRGBA {
	return color.NRGBA{uint8(v), uint8(0.7*v + 40), uint8(255 - v), 255}
}

// scaled is [plain] from low to high.
func scaled(low, high float64) func(float64) color.NRGBA {
	return func(v float64) color.NRGBA {
		c := plain(v)
		for _, p := range []*uint8{&c.R, &c.G, &c.B} {
			*p = uint8(low + (high-low)*float64(*p)/255)
		}
		return c
	}
}

func grey(v float64) color.NRGBA { return color.NRGBA{uint8(v), uint8(v), uint8(v), 255} }

// smooth is a scene without an edge, and with as many tones.
func smooth(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := 10 + 90*float64(x)/float64(w) + 90*float64(y)/float64(h)
			img.SetNRGBA(x, y, color.NRGBA{uint8(v), uint8(v + 9), uint8(v / 2), 255})
		}
	}
	return img
}

func measure(t *testing.T, img image.Image) extract.Measures {
	t.Helper()
	p, err := extract.NewPreprocessor(extract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	traits, err := p.Crop(t.Context(), make([]uint8, extract.PixelBytes), b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return traits.Measures
}

func named(n int) insight.Ref { return insight.Ref{Path: fmt.Sprint(n)} }

// issuesOf are the names of those that picture n of some has.
func issuesOf(r *quality.Report, n int) (names []string) {
	for _, issue := range r.Issues {
		if slices.ContainsFunc(issue.All(), func(p quality.Picture) bool { return p.Path == fmt.Sprint(n) }) {
			names = append(names, issue.Name)
		}
	}
	return names
}

func TestDrawnPicturesAreJudged(t *testing.T) {
	pictures, want := []extract.Measures{}, [][]string{}
	add := func(img image.Image, issues ...string) {
		pictures, want = append(pictures, measure(t, img)), append(want, issues)
	}
	for i := range 12 {
		add(scene(260+25*i, 220, plain))
	}
	add(scene(300, 220, scaled(0, 70)), quality.Dark)
	add(scene(300, 220, scaled(0, 100)))
	add(scene(300, 220, scaled(247, 255)), quality.Light)
	add(scene(300, 220, scaled(200, 255)))
	add(smooth(300, 220), quality.Blurry)
	add(scene(300, 220, func(float64) color.NRGBA { return color.NRGBA{90, 120, 70, 255} }), quality.LowInformation)
	add(scene(300, 220, grey), quality.Grayscale)
	add(scene(1000, 750, plain), quality.OddSize)
	add(scene(36, 30, plain), quality.OddSize)
	add(scene(600, 200, plain), quality.OddAspectRatio)
	add(scene(200, 600, plain), quality.OddAspectRatio)
	add(scene(500, 200, plain))
	r := quality.Judge(pictures, 3, named)
	for n := range pictures {
		if got := issuesOf(r, n); !slices.Equal(got, want[n]) {
			t.Errorf("picture %d has %v, want %v: %+v", n, got, want[n], pictures[n])
		}
	}
	if r.Judged != len(pictures) || r.NotJudged != 3 || len(r.Issues) != 7 {
		t.Errorf("%d judged, %d not, %d issues", r.Judged, r.NotJudged, len(r.Issues))
	}
}

// The worst are listed first, up to 12 of them; all are counted.
func TestWorstAreFirst(t *testing.T) {
	pictures := make([]extract.Measures, 40)
	for n := range pictures {
		pictures[n] = extract.Measures{Width: 9, Height: 9, Bright99: uint8(60 - n), Edges: 60000, Entropy: 30000}
	}
	r := quality.Judge(pictures, 0, named)
	dark := r.Issues[0]
	if dark.Name != quality.Dark || dark.Images != 40 || len(dark.Worst) != 12 || dark.Worst[0].Path != "39" || dark.Worst[11].Path != "28" || dark.Worst[0].Score != 0.0824 {
		t.Errorf("%+v", dark)
	}
	if found := r.Found(); len(found) != 0 {
		t.Errorf("what all pictures have is an issue: %+v", found)
	}
}

// Size is judged by that of the others: where most have one size any other is odd, else what
// lies far outside of the middle half.
func TestOddSizesAreThoseFarFromTheOthers(t *testing.T) {
	for _, c := range []struct {
		sides []int
		odd   []string
	}{
		{nil, nil},
		{[]int{50}, nil},
		{[]int{32, 32, 32, 32, 33, 32, 32, 32}, []string{"4"}},
		{[]int{100, 110, 120, 130, 140, 300, 125, 115}, []string{"5"}},
		{[]int{100, 110, 120, 130, 140, 180, 125, 115}, nil},
	} {
		pictures := make([]extract.Measures, len(c.sides))
		for n, side := range c.sides {
			pictures[n] = extract.Measures{Width: side, Height: side, Bright99: 200, Edges: 60000, Entropy: 30000}
		}
		var got []string
		r := quality.Judge(pictures, 0, named)
		for _, p := range r.Issues[4].All() {
			got = append(got, p.Path)
		}
		if !slices.Equal(got, c.odd) {
			t.Errorf("%v: %v is odd, want %v", c.sides, got, c.odd)
		}
	}
}
