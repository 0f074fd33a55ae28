package export

import (
	"encoding/hex"
	"strings"

	"icebox/extract"
	"icebox/pipeline/export/onnx"
)

// The forms of input of an ONNX export.
const (
	InputCrop   = "crop"   // uint8 [N,224,224,3]: crops, of RGB
	InputPixels = "pixels" // float32 [N,3,224,224]: crops, normalised
	InputImage  = "image"  // uint8 [H,W,3]: one decoded and upright image of any size
)

// mean and std are those that a crop is normalised by, as torchvision states them.
var (
	mean = []float32{0.485, 0.456, 0.406}
	std  = []float32{0.229, 0.224, 0.225}
)

// colours is the shape of a constant with a value a colour, which goes with planes.
var colours = []int{1, 3, 1, 1}

// crop adds the input of crops, and makes planes of floats of them, from 0 to 255.
func (b *builder) crop() string {
	side := onnx.Dim{Size: extract.Side, Denotation: "DATA_FEATURE"}
	b.Inputs = []onnx.Value{{
		Name: cropInput, Type: onnx.Uint8, Denotation: "IMAGE",
		Dims: []onnx.Dim{{Name: "N", Denotation: "DATA_BATCH"}, side, side, {Size: 3, Denotation: "DATA_CHANNEL"}},
	}}
	x := b.op("crop.planes", "Transpose", []string{cropInput}, onnx.Attr{Name: "perm", Value: []int64{0, 3, 1, 2}})
	return b.float("crop.floats", x)
}

// float makes floats of bytes.
func (b *builder) float(name, x string) string {
	return b.op(name, "Cast", []string{x}, onnx.Attr{Name: "to", Value: int64(onnx.Float)})
}

// normalised adds ToTensor and Normalize, rounded as the table of package extract is.
func (b *builder) normalised(x string) string {
	x = b.op("unit", "Div", []string{x, b.floats("unit.255", nil, 255)})
	x = b.op("centred", "Sub", []string{x, b.floats("centred.mean", colours, mean...)})
	return b.op("normalised", "Div", []string{x, b.floats("normalised.std", colours, std...)})
}

// wholeImage adds the input of one image, and makes it a crop as p says: planes of floats,
// from 0 to 255. Sizes and places are computed in whole numbers, as those of package extract
// are: Resize's own policies round where torchvision cuts off.
func (b *builder) wholeImage(p extract.Preprocess) string {
	b.Inputs = []onnx.Value{{
		Name: cropInput, Type: onnx.Uint8, Denotation: "IMAGE",
		Dims: []onnx.Dim{{Name: "H", Denotation: "DATA_FEATURE"}, {Name: "W", Denotation: "DATA_FEATURE"}, {Size: 3, Denotation: "DATA_CHANNEL"}},
	}}
	x := b.op("image.planes", "Transpose", []string{cropInput}, onnx.Attr{Name: "perm", Value: []int64{2, 0, 1}})
	x = b.op("image.batch", "Unsqueeze", []string{x, b.ints("image.axes", 0)})
	switch p.Fit {
	case extract.Squash:
		return b.float("crop.floats", b.resized(x, b.ints("sizes", 1, 3, extract.Side, extract.Side)))
	case extract.Pad:
		return b.padded(x, p)
	}
	return b.middle(x, p)
}

// whole adds an operator on lists of whole numbers.
func (b *builder) whole(name, op string, inputs ...string) string { return b.op(name, op, inputs) }

// sides are the height and the width of the image, each a list of one. It adds the constants
// that sizes are computed with, too.
func (b *builder) sides() (h, w string) {
	b.ints("zero", 0)
	b.ints("one", 1)
	b.ints("two", 2)
	b.ints("224", extract.Side)
	all := b.op("shape", "Shape", []string{cropInput})
	h = b.op("height", "Slice", []string{all, "zero", "one", "zero"})
	return h, b.op("width", "Slice", []string{all, "one", "two", "zero"})
}

// scaled are the sides times a number, over side, cut off.
func (b *builder) scaled(h, w, times, over string) (string, string) {
	h = b.whole("height.scaled", "Div", b.whole("height.times", "Mul", h, times), over)
	return h, b.whole("width.scaled", "Div", b.whole("width.times", "Mul", w, times), over)
}

// resized adds the antialiased resampling to sizes.
func (b *builder) resized(x, sizes string) string {
	return b.op("resized", "Resize", []string{x, "", "", sizes},
		onnx.Attr{Name: "mode", Value: "linear"}, onnx.Attr{Name: "coordinate_transformation_mode", Value: "half_pixel"},
		onnx.Attr{Name: "antialias", Value: int64(1)})
}

// sizes is a shape of planes of h × w.
func (b *builder) sizes(h, w string) string {
	return b.op("sizes", "Concat", []string{b.ints("sizes.planes", 1, 3), h, w}, onnx.Attr{Name: "axis", Value: int64(0)})
}

// middle resizes the shorter side and cuts the middle out.
func (b *builder) middle(x string, p extract.Preprocess) string {
	h, w := b.sides()
	h, w = b.scaled(h, w, b.ints("resize", int64(p.Resize)), b.whole("shorter", "Min", h, w))
	x = b.resized(x, b.sizes(h, w))
	concat := func(name, a, c string) string {
		return b.op(name, "Concat", []string{a, c}, onnx.Attr{Name: "axis", Value: int64(0)})
	}
	top, left := b.half("top", h), b.half("left", w)
	starts := concat("starts", top, left)
	ends := b.whole("ends", "Add", starts, "224")
	x = b.op("cropped", "Slice", []string{x, starts, ends, b.ints("cropped.axes", 2, 3)})
	return b.float("crop.floats", x)
}

// half is half of what a side has beyond the crop, rounded to the even number, as Python
// rounds: the half that is cut off is added where the quotient is odd.
func (b *builder) half(name, side string) string {
	over := b.whole(name+".over", "Sub", side, "224")
	half := b.whole(name+".half", "Div", over, "two")
	odd := b.odd(name+".over", over, half)
	odder := b.odd(name+".half", half, b.whole(name+".quarter", "Div", half, "two"))
	return b.whole(name, "Add", half, b.whole(name+".up", "Mul", odd, odder))
}

// odd is 1 if a number, of which half is known, is odd.
func (b *builder) odd(name, x, half string) string {
	return b.whole(name+".odd", "Sub", x, b.whole(name+".even", "Mul", half, "two"))
}

// padded resizes the longer side to that of the crop, and surrounds the image with the
// background.
func (b *builder) padded(x string, p extract.Preprocess) string {
	h, w := b.sides()
	h, w = b.scaled(h, w, "224", b.whole("longer", "Max", h, w))
	h, w = b.whole("height.least", "Max", h, "one"), b.whole("width.least", "Max", w, "one")
	x = b.float("resized.floats", b.resized(x, b.sizes(h, w)))
	fill := b.floats("background", colours, colour(p.Background)...)
	x = b.op("resized.less", "Sub", []string{x, fill}) // so that the padding is zeros
	overH, overW := b.whole("height.over", "Sub", "224", h), b.whole("width.over", "Sub", "224", w)
	top, left := b.whole("top", "Div", overH, "two"), b.whole("left", "Div", overW, "two")
	bottom, right := b.whole("bottom", "Sub", overH, top), b.whole("right", "Sub", overW, left)
	none := b.ints("pads.none", 0, 0)
	pads := b.op("pads", "Concat", []string{none, top, left, none, bottom, right}, onnx.Attr{Name: "axis", Value: int64(0)})
	x = b.op("surrounded", "Pad", []string{x, pads})
	return b.op("crop.floats", "Add", []string{x, fill})
}

// colour is the three samples of #rrggbb; black for "".
func colour(text string) []float32 {
	rgb := make([]float32, 3)
	samples, _ := hex.DecodeString(strings.TrimPrefix(text, "#")) // package extract wrote it
	for i, v := range samples {
		rgb[i] = float32(v)
	}
	return rgb
}
