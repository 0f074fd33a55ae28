package export

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"icebox/extract"
	"icebox/pipeline/export/onnx"
)

// preparing is the graph that makes a crop of a whole image, and no more. Its outputs are
// also the sizes, and where the middle begins.
func preparing(p extract.Preprocess, outputs ...string) *onnx.Model {
	b := &builder{}
	b.wholeImage(p)
	for _, name := range outputs {
		b.Outputs = append(b.Outputs, onnx.Value{Name: name})
	}
	return &onnx.Model{Graph: b.Graph}
}

// noise is a picture of random pixels, as a file and as the graph takes it.
func noise(t *testing.T, w, h int) ([]byte, *onnx.Tensor) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	pixels := &onnx.Tensor{Shape: []int{h, w, 3}}
	for i := 0; i < len(img.Pix); i += 4 {
		for c := range 3 {
			img.Pix[i+c] = uint8(r.IntN(256))
			pixels.Bytes = append(pixels.Bytes, img.Pix[i+c])
		}
		img.Pix[i+3] = 255
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), pixels
}

// The graph makes the very crops that package extract makes, whatever the size and the fit.
// Only pictures that extract resamples down before across are a level off.
func TestGraphMakesTheSameCrops(t *testing.T) {
	sizes := []image.Point{{224, 224}, {256, 256}, {1, 1}, {500, 375}, {375, 500}, {333, 500}, {257, 300}, {300, 257}, {1, 400}, {400, 1}, {640, 127}}
	r := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		sizes = append(sizes, image.Pt(1+r.IntN(420), 1+r.IntN(420)))
	}
	if raceEnabled {
		sizes = sizes[:5]
	}
	for _, o := range []extract.Options{{}, {Fit: extract.Squash}, {Fit: extract.Pad}, {Fit: extract.Pad, Background: "#ff8000"}} {
		p, err := extract.NewPreprocessor(o)
		if err != nil {
			t.Fatal(err)
		}
		g := preparing(o.Preprocess(), "crop.floats")
		for _, size := range sizes {
			file, pixels := noise(t, size.X, size.Y)
			want := make([]uint8, extract.PixelBytes)
			if _, err := p.Crop(t.Context(), want, file); err != nil {
				t.Fatal(err)
			}
			out, err := g.Run(map[string]*onnx.Tensor{cropInput: pixels})
			if err != nil {
				t.Fatalf("%s, %v: %v", o.Fit, size, err)
			}
			got := out["crop.floats"].Floats
			furthest := 0.0
			for i, v := range want {
				furthest = max(furthest, math.Abs(float64(v)-float64(got[i%3*extract.Side*extract.Side+i/3])))
			}
			downFirst := size.Y-224 > 0 && size.X < size.Y // perhaps
			if furthest > 0 && !(downFirst && furthest <= 1) {
				t.Errorf("fit %q, %v: a sample is %v off", o.Fit, size, furthest)
			}
		}
	}
}

// The sizes, and where the middle begins, are torchvision's for any size: cut off, and
// rounded to the even number.
func TestSizesAreCutOffAndOffsetsRoundToEven(t *testing.T) {
	crop := preparing(extract.Options{}.Preprocess(), "sizes", "starts")
	pad := preparing(extract.Options{Fit: extract.Pad}.Preprocess(), "sizes", "pads")
	keepOperators(crop, "resized", "cropped", "crop.floats", "image.planes", "image.batch")
	keepOperators(pad, "resized", "resized.floats", "resized.less", "surrounded", "crop.floats", "image.planes", "image.batch")
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 100000).Draw(t, "w"), rapid.IntRange(1, 100000).Draw(t, "h")
		in := map[string]*onnx.Tensor{cropInput: {Shape: []int{h, w, 3}}}
		out, err := crop.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		cut := func(a, b, c int) int64 { return int64(float64(a*b) / float64(c)) } // as Python's int does
		half := func(n int64) int64 { return int64(math.RoundToEven(float64(n-224) / 2)) }
		oh, ow := cut(256, h, min(w, h)), cut(256, w, min(w, h))
		if got := out["sizes"].Ints; !slices.Equal(got, []int64{1, 3, oh, ow}) {
			t.Errorf("sizes %v, want %d×%d", got, oh, ow)
		}
		if got := out["starts"].Ints; !slices.Equal(got, []int64{half(oh), half(ow)}) {
			t.Errorf("the middle begins at %v, want %d and %d", got, half(oh), half(ow))
		}
		if out, err = pad.Run(in); err != nil {
			t.Fatal(err)
		}
		oh, ow = max(cut(224, h, max(w, h)), 1), max(cut(224, w, max(w, h)), 1)
		top, left := (224-oh)/2, (224-ow)/2
		if got := out["sizes"].Ints; !slices.Equal(got, []int64{1, 3, oh, ow}) {
			t.Errorf("padded: sizes %v, want %d×%d", got, oh, ow)
		}
		if got := out["pads"].Ints; !slices.Equal(got, []int64{0, 0, top, left, 0, 0, 224 - oh - top, 224 - ow - left}) {
			t.Errorf("padding %v", got)
		}
	})
}

// keepOperators leaves those out that touch pixels.
func keepOperators(m *onnx.Model, but ...string) {
	m.Graph.Nodes = slices.DeleteFunc(m.Graph.Nodes, func(n onnx.Node) bool { return slices.Contains(but, n.Name) })
}

// Each constant is used, and each operator, too: some programs warn of others.
func TestNothingIsWithoutUse(t *testing.T) {
	m := model(t)
	for _, input := range Inputs() {
		for _, fit := range []string{"", extract.Squash, extract.Pad} {
			m.Info.Fingerprint.Preprocess.Fit = fit
			g, err := graph(m, input)
			must(t, err)
			used := map[string]bool{}
			for _, n := range g.Graph.Nodes {
				for _, name := range n.Inputs {
					used[name] = true
				}
			}
			for _, v := range g.Graph.Outputs {
				used[v.Name] = true
			}
			for _, c := range g.Graph.Constants {
				if !used[c.Name] {
					t.Errorf("%s, fit %q: the constant %s", input, fit, c.Name)
				}
			}
			for _, n := range g.Graph.Nodes {
				if !used[n.Outputs[0]] {
					t.Errorf("%s, fit %q: the operator %s", input, fit, n.Name)
				}
			}
		}
	}
}
