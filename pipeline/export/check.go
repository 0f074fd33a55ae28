package export

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/export/onnx"
)

// Check says how near an export's answers to fixed pictures are to icebox's.
type Check struct {
	Images        int     `json:"images"`
	Probability   float64 `json:"max_probability_difference"`
	Logit         float64 `json:"max_logit_difference"`     // over the largest logit of the image
	OfProbability float64 `json:"tolerance_of_probability"` // that is allowed
	OfLogit       float64 `json:"tolerance_of_logit"`

	labels int // that are not icebox's, though they are not equally likely
}

// The tolerances. The two compute the same numbers in another order. Probabilities alone say
// too little: those of a head that is sure stay 0 and 1 whatever happens to a weight. And of
// logits that are large over the temperature, the last digit moves probabilities further: the
// tolerance is that of scaled logits up to sharp, and grows with larger ones.
const (
	probabilityTolerance = 1e-4
	logitTolerance       = 1e-3
	sharp                = 10
)

// pictures are the sizes of the fixed pictures: wide, high, tiny. None is so high that
// package extract resamples it down before across, whatever the fit, where a graph goes across
// first and a sample may be a level off.
var pictures = []image.Point{{320, 240}, {411, 500}, {40, 33}}

// picture draws a picture of a size, as PNG: gradients, stripes and a disc, whose colours
// depend on n.
func picture(size image.Point, n int) []byte {
	img := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			dx, dy := float64(x)/float64(size.X)-0.4, float64(y)/float64(size.Y)-0.6
			c := color.NRGBA{uint8(255 * x / size.X), uint8(255 * y / size.Y), uint8(60*n + 40*((x/7+y/(5+n))%3)), 255}
			if dx*dx+dy*dy < 0.06 {
				c.R, c.G, c.B = 255-c.G, uint8(40*n), 255-c.B
			}
			img.SetNRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, img) // to memory, of a size that is taken
	return out.Bytes()
}

// check reads the ONNX file at path again, runs it on the fixed pictures and compares the
// answers with icebox's.
func check(ctx context.Context, m Model, input, path string) (*Check, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	model, err := onnx.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%w: the file that was written is not read again: %w", ErrDisagrees, err)
	}
	c := &Check{OfProbability: probabilityTolerance, OfLogit: logitTolerance}
	for n, size := range pictures {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		encoded := picture(size, n)
		crop := make([]uint8, extract.PixelBytes)
		if _, err := m.Net.Preprocess(ctx, crop, encoded); err != nil {
			return nil, err
		}
		in, err := fixedInput(input, encoded, crop)
		if err != nil {
			return nil, err
		}
		outputs, err := model.Run(in)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDisagrees, err)
		}
		if err := c.compare(ctx, m, crop, outputs); err != nil {
			return nil, err
		}
	}
	if !(c.Probability <= c.OfProbability && c.Logit <= c.OfLogit && c.labels == 0) {
		return nil, fmt.Errorf("%w on %d pictures: probabilities differ by up to %.2g (allowed are %.0g), logits by up to %.2g of the largest (allowed are %.0g), and %d labels are others",
			ErrDisagrees, c.Images, c.Probability, c.OfProbability, c.Logit, c.OfLogit, c.labels)
	}
	return c, nil
}

// fixedInput is a picture in a form of input.
func fixedInput(input string, encoded []byte, crop []uint8) (map[string]*onnx.Tensor, error) {
	switch input {
	case InputPixels:
		t := &onnx.Tensor{Shape: []int{1, 3, extract.Side, extract.Side}}
		for c := range 3 {
			for i := c; i < len(crop); i += 3 {
				t.Floats = append(t.Floats, (float32(crop[i])/255-mean[c])/std[c])
			}
		}
		return map[string]*onnx.Tensor{pixelsInput: t}, nil
	case InputImage:
		img, err := png.Decode(bytes.NewReader(encoded))
		if err != nil {
			return nil, err
		}
		size := img.Bounds().Size()
		t := &onnx.Tensor{Shape: []int{size.Y, size.X, 3}}
		for y := range size.Y {
			for x := range size.X {
				r, g, b, _ := img.At(x, y).RGBA()
				t.Bytes = append(t.Bytes, uint8(r>>8), uint8(g>>8), uint8(b>>8))
			}
		}
		return map[string]*onnx.Tensor{cropInput: t}, nil
	}
	return map[string]*onnx.Tensor{cropInput: {Shape: []int{1, extract.Side, extract.Side, 3}, Bytes: crop}}, nil
}

// compare takes in the answers to one crop.
func (c *Check) compare(ctx context.Context, m Model, crop []uint8, outputs map[string]*onnx.Tensor) error {
	feature := make([]float32, extract.Dim)
	if err := m.Net.Forward(ctx, feature, crop, 1); err != nil {
		return err
	}
	logits, probs, best := answer(m.Head, feature)
	got, gotProbs, label := outputs[logitsOutput].Floats, outputs[probsOutput].Floats, outputs[labelOutput].Ints
	if len(got) != len(logits) || len(gotProbs) != len(probs) || len(label) != 1 {
		return fmt.Errorf("%w: it gives %d logits and %d probabilities for %d classes", ErrDisagrees, len(got), len(gotProbs), len(logits))
	}
	largest := 0.0
	for _, v := range logits {
		largest = max(largest, math.Abs(float64(v)))
	}
	c.OfProbability = max(c.OfProbability, probabilityTolerance*largest/temperature(m.Head)/sharp)
	for k := range logits {
		c.Logit = max(c.Logit, math.Abs(float64(got[k])-float64(logits[k]))/max(largest, 1)) // which keeps a NaN
		c.Probability = max(c.Probability, math.Abs(float64(gotProbs[k])-probs[k]))
	}
	if l := label[0]; l < 0 || l >= int64(len(probs)) || int(l) != best && probs[best]-probs[l] > c.OfProbability {
		c.labels++
	}
	c.Images++
	return nil
}

// answer is icebox's own, to one row of features.
func answer(h *headtrain.Head, feature []float32) (logits []float32, probs []float64, best int) {
	logits, probs = make([]float32, len(h.Classes)), make([]float64, len(h.Classes))
	h.Logits(logits, feature, 1)
	return logits, probs, judge.Softmax(probs, logits, temperature(h))
}
