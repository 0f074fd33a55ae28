package extract

import (
	"context"
	"fmt"
	"math"

	"icebox/extract/internal/imaging"
	"icebox/extract/internal/resnet"
)

// Verdict is the outcome of Gate.
type Verdict struct {
	Key    string  `json:"key"`     // what was judged; see GateKey
	Cosine float64 `json:"cosine"`  // of the engine's feature to the reference's
	MaxAbs float64 `json:"max_abs"` // largest difference of a value
}

// leastCosine is what each numeric class promises.
var leastCosine = map[string]float64{"fp32": 0.99999, "tf32": 0.9999, "bf16": 0.9995, "fp16": 0.999}

// GateKey names the weights and the engine that Gate judges: a verdict holds as
// long as the key does. It opens the engine.
func (x *Extractor) GateKey() (string, error) {
	info, err := x.Engine()
	if err != nil {
		return "", err
	}
	return x.gateKey(info), nil
}

func (x *Extractor) gateKey(info EngineInfo) string {
	return fmt.Sprintf("%s/%s/%s/%s-%d/%s/%s", x.print.Weights, info.Name, info.ISA, info.Plan, info.Version, info.Driver, info.Numeric)
}

// LeastCosine returns the least cosine to the reference's features that a numeric
// class (fp32, bf16, tf32, fp16) promises; 0 for another name.
func LeastCosine(numeric string) float64 { return leastCosine[numeric] }

// farTooLarge is beyond every feature: those of trained weights are below 100.
const farTooLarge = 1e15

// checkReference returns an [ErrWeightsMismatch] for weights whose features no engine can
// compute, since a value of theirs is so large that sums run over.
func checkReference(features []float32) error {
	for _, v := range features {
		if !(math.Abs(float64(v)) < farTooLarge) {
			return fmt.Errorf("%w: with these weights a feature of a test image is %g: some value in the file is far too large", ErrWeightsMismatch, v)
		}
	}
	return nil
}

// Gate runs a generated image through the engine and through a naive reference in
// plain Go, and returns a [DisagreeError] if they are further apart than the numeric
// class allows, and an [ErrWeightsMismatch] if the reference runs over. It takes seconds: keep the verdict.
func (x *Extractor) Gate(ctx context.Context) (Verdict, error) {
	engine, err := x.engine()
	if err != nil {
		return Verdict{}, err
	}
	pixels := gateImage()
	got := make([]float32, Dim)
	info := engine.now()
	for before := (EngineInfo{}); before != info; info = engine.now() { // else the engine may have changed its plan meanwhile
		before = info
		if err := x.Forward(ctx, got, pixels, 1); err != nil {
			return Verdict{}, err
		}
	}
	want := resnet.Reference(x.weights.Tensor, imaging.LUT(), pixels)
	if err := checkReference(want); err != nil {
		return Verdict{}, err
	}
	v := Verdict{Key: x.gateKey(info)}
	v.Cosine, v.MaxAbs = compare(got, want)
	if least := leastCosine[info.Numeric]; !(v.Cosine >= least) {
		return v, &DisagreeError{info, v, least}
	}
	return v, nil
}

// gateImage draws 224×224 pixels with edges, slopes and noise in every channel.
func gateImage() []uint8 {
	pixels := make([]uint8, PixelBytes)
	state := uint32(1)
	for i := range pixels {
		y, x, c := i/3/Side, i/3%Side, i%3
		state = state*1664525 + 1013904223
		v := (x*(c+1) + y*(3-c)) / 3
		if (x/28+y/28)%2 == 0 {
			v = 255 - v%256
		}
		pixels[i] = uint8((v*3 + int(state>>24)) / 4)
	}
	return pixels
}

// compare returns the cosine of a and b (1 if both are zero, 0 if one is) and the
// largest absolute difference.
func compare(a, b []float32) (cosine, maxAbs float64) {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		maxAbs = math.Max(maxAbs, math.Abs(x-y))
	}
	if aa == 0 && bb == 0 {
		return 1, maxAbs
	}
	if aa == 0 || bb == 0 {
		return 0, maxAbs
	}
	return ab / math.Sqrt(aa*bb), maxAbs
}
