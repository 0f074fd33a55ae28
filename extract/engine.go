package extract

import "context"

// Dim is the length of a feature.
const Dim = 512

// Side is the height and width in pixels of the crop that an engine sees.
const Side = 224

// PixelBytes is the size of one crop: Side × Side × 3 bytes, rows of RGB.
const PixelBytes = Side * Side * 3

// Engine runs the backbone over crops. Many goroutines may call Forward.
//
// An engine that may change how it computes while it runs (its GPU runs short of
// memory, or one of several GPUs fails) also has a method Info() EngineInfo. If Info
// says the same before a call of Forward and after it, that is what computed the
// features.
type Engine interface {
	// Forward writes n features (n × Dim) for n crops (n × PixelBytes,
	// interleaved RGB, not yet normalised). Both slices are the caller's and are
	// not kept. A feature's bytes do not depend on n.
	Forward(ctx context.Context, features []float32, pixels []uint8, n int) error
	Close() error
}

// Backbone is what an engine is built from.
type Backbone struct {
	// Tensor returns a parameter by torchvision's name, shaped as torchvision
	// shapes it. The slice is read only and valid until the engine is closed.
	Tensor func(name string) []float32
	// LUT gives the normalised value of an 8-bit sample, by channel.
	LUT *[3][256]float32

	Device  Device // where to run
	Numeric string // the numeric class to compute in

	Note func(text string) // takes what a person should know and is not an error; never nil
	Memo Memo              // never nil
}

// Memo keeps what an engine has measured on a machine, so that the next process need
// not measure again, and perhaps choose otherwise. Its methods may be called from any
// goroutine.
type Memo interface {
	// Recall returns the value last kept under key; ok is false if there is none.
	Recall(key string) (value string, ok bool)
	// Keep stores a value.
	Keep(key, value string)
}

// forgetful is the Memo that stands in where Options has none.
type forgetful struct{}

func (forgetful) Recall(string) (string, bool) { return "", false }
func (forgetful) Keep(_, _ string)             {}

// EngineInfo names what computed a row, down to its last bits.
type EngineInfo struct {
	Name    string `json:"name"`             // native, cuda, …
	ISA     string `json:"isa"`              // avx512, avx2, neon, portable; a GPU's name
	Plan    string `json:"plan"`             // which algorithms, in which order of summation
	Version int    `json:"version"`          // of the plan
	Driver  string `json:"driver,omitempty"` // of engines that need one
	Numeric string `json:"numeric"`          // fp32, bf16, tf32, fp16
}
