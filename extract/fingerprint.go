package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"icebox/extract/internal/imaging"
)

// Fingerprint names the function from image bytes to feature. Two extractors with
// equal fingerprints give the same features within the tolerance of their numeric
// class, wherever they run. Whatever changes a feature by more is a field here.
type Fingerprint struct {
	Architecture string     `json:"architecture"` // resnet18, up to the global average pool
	Weights      string     `json:"weights"`      // hash of the tensors
	Preprocess   Preprocess `json:"preprocess"`
	Numeric      string     `json:"numeric"` // fp32: cosine ≥ 0.99999 to the reference; tf32 ≥ 0.9999; bf16 ≥ 0.9995; fp16 ≥ 0.999
	View         string     `json:"view"`    // centre: the one upright picture that Preprocess makes
}

// Preprocess holds the numbers of the path from image bytes to network input.
type Preprocess struct {
	Version int       `json:"version"` // of the arithmetic
	Decoder string    `json:"decoder"` // class of the JPEG decoder
	EXIF    bool      `json:"exif"`    // turned upright by the EXIF tag
	Resize  int       `json:"resize"`  // side, antialiased bilinear: the shorter one, or as Fit says
	Crop    int       `json:"crop"`
	Mean    [3]string `json:"mean"`
	Std     [3]string `json:"std"`

	// Those that follow are "" in features made as torchvision does, and leave no trace in
	// an ID then.
	Fit        string `json:"fit,omitempty"`        // squash: both sides are resized; pad: the longer one, and Background around it
	Background string `json:"background,omitempty"` // #rrggbb below transparent pixels and around padded pictures; "": alpha is dropped
	Truncated  string `json:"truncated,omitempty"`  // accept: images that end early are decoded as far as they go
}

// ID returns the name of the feature space in which rows of this function, kept
// as dtype (float32 or float16), live: 64 hexadecimal digits.
func (f Fingerprint) ID(dtype string) string {
	text, err := json.Marshal(struct {
		Fingerprint
		DType string `json:"dtype"`
	}{f, dtype})
	if err != nil {
		panic(fmt.Sprintf("extract: fingerprint of plain fields: %v", err)) // unreachable: strings, ints and bools
	}
	sum := sha256.Sum256(append([]byte("icebox space 1\n"), text...))
	return hex.EncodeToString(sum[:])
}

func fingerprint(weightsHash, numeric string, o Options) Fingerprint {
	return Fingerprint{Architecture: "resnet18", Weights: weightsHash, Preprocess: o.Preprocess(), Numeric: numeric, View: "centre"}
}

// Preprocess says what becomes of an image before the backbone sees it.
func (o Options) Preprocess() Preprocess {
	p := Preprocess{
		Version: imaging.Version,
		Decoder: imaging.DecoderClass,
		EXIF:    !o.IgnoreEXIF,
		Resize:  256,
		Crop:    Side,
		Mean:    [3]string{"0.485", "0.456", "0.406"},
		Std:     [3]string{"0.229", "0.224", "0.225"},
	}
	if o.Fit == Squash || o.Fit == Pad {
		p.Fit, p.Resize = o.Fit, Side
	}
	if o.Truncated == Accept {
		p.Truncated = Accept
	}
	if rgb, err := imaging.Colour(o.Background); err == nil {
		p.Background = fmt.Sprintf("#%x", rgb)
	}
	return p
}
