package cuda

import (
	"context"
	"os"

	"icebox/extract"
)

// Options are what a program may say about the engine. The zero value suits most.
type Options struct {
	// Batch is the most images computed at once; 0 means 128. It is halved until half
	// of the GPU's free memory holds it.
	Batch int
	// Env looks up environment variables; nil means os.Getenv.
	Env func(string) string
}

// defaultBatch is enough to keep any GPU busy, and some eight threads that decode
// images can fill it.
const defaultBatch = 128

func (o Options) getenv(name string) string {
	if o.Env == nil {
		return os.Getenv(name)
	}
	return o.Env(name)
}

// Spec returns the engine in the form that extract.Options.Engines takes.
func Spec(o Options) extract.EngineSpec {
	return extract.EngineSpec{Name: extract.CUDA, Numerics: []string{"fp32", "tf32", "fp16"}, Open: func(_ context.Context, b extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		return open(o, b)
	}}
}

// Report says which GPUs and libraries this machine has.
type Report struct {
	GPUs    []GPU  `json:"gpus,omitempty"`
	Driver  string `json:"driver,omitempty"`  // the newest CUDA that the driver knows, and its file
	CuDNN   string `json:"cudnn,omitempty"`   // its version and file
	Missing string `json:"missing,omitempty"` // what keeps the engine from running, and where that is to be had; "" if nothing
}

// GPU is one device.
type GPU struct {
	Name       string `json:"name"`
	Device     string `json:"device"`     // as extract.ParseDevice reads it, such as cuda:0
	Capability string `json:"capability"` // such as 9.0
	Memory     uint64 `json:"memory"`     // bytes
}

// Probe looks for GPUs and libraries. It uses no GPU.
func Probe(o Options) Report { return probe(o) }
