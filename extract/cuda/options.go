package cuda

import (
	"context"
	"os"

	"icebox/extract"
)

// Options are what a program may say about the engine. The zero value is good.
type Options struct {
	// Batch is the most images computed at once; 0 means 128. It is halved until half
	// of the GPU's free memory holds it.
	Batch int
	// Env looks up environment variables; nil means os.Getenv.
	Env func(string) string
}

// defaultBatch fills any GPU, and is what some eight decoding threads keep busy.
const defaultBatch = 128

func (o Options) getenv(name string) string {
	if o.Env == nil {
		return os.Getenv(name)
	}
	return o.Env(name)
}

// Spec offers the engine to extract.Open.
func Spec(o Options) extract.EngineSpec {
	return extract.EngineSpec{Name: extract.CUDA, Numerics: []string{"fp32", "tf32", "fp16"}, Open: func(_ context.Context, b extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		return open(o, b)
	}}
}

// Report is what there is of GPUs and libraries on this machine.
type Report struct {
	GPUs    []GPU  `json:"gpus,omitempty"`
	Driver  string `json:"driver,omitempty"`  // newest CUDA that it knows, and the file
	CuDNN   string `json:"cudnn,omitempty"`   // version and file
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
