package extract

import (
	"context"
	"fmt"
	"time"

	"icebox/extract/internal/kernel"
	"icebox/extract/internal/resnet"
)

// LayerTime is what a layer of the native engine took.
type LayerTime struct {
	Name      string        `json:"name"`
	Algorithm string        `json:"algorithm"`
	Direct    int64         `json:"direct_macs"` // multiplications of a plain convolution of one image
	Done      int64         `json:"done_macs"`   // multiplications that the algorithm does instead
	Time      time.Duration `json:"ns"`          // of the whole call
}

// profiler is an engine that can time its layers.
type profiler interface {
	profile(features []float32, pixels []uint8, n int) ([]resnet.Layer, []time.Duration)
}

func (e *native) profile(features []float32, pixels []uint8, n int) ([]resnet.Layer, []time.Duration) {
	ws := e.arenas.get()
	defer e.arenas.put(ws)
	return e.net.Layers(), e.net.Profile(ws, features, pixels, n)
}

func (e *nativeSingle) profile(features []float32, pixels []uint8, n int) ([]resnet.Layer, []time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.net.Net().Layers(), e.net.Profile(features[:Dim], pixels[:PixelBytes])
}

// Profile is [Extractor.Forward] and returns the time that each layer took. The native
// engine of an Extractor runs it on one thread. An engine that cannot time its layers
// returns ErrEngine.
func (x *Extractor) Profile(ctx context.Context, features []float32, pixels []uint8, n int) ([]LayerTime, error) {
	engine, err := x.engine()
	if err != nil {
		return nil, err
	}
	p, ok := engine.Engine.(profiler)
	if !ok {
		return nil, fmt.Errorf("%w %s: cannot time its layers", ErrEngine, engine.info.Name)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	layers, spent := p.profile(features[:n*Dim], pixels[:n*PixelBytes], n)
	times := make([]LayerTime, len(layers))
	for i, l := range layers {
		times[i] = LayerTime{l.Name, l.Algorithm, l.Direct, l.Done, spent[i]}
	}
	return times, nil
}

// Peak measures how many floating-point operations a second one core can do with an
// instruction set (see Options.ISA). It is 0 for portable code and for one that this
// machine lacks. It takes some 30 ms.
func Peak(isa string) float64 { return peak(isa, false) }

// PeakBF16 is Peak of operations on bfloat16, as Precision "bf16" does them. It is 0 where
// the instruction set has none.
func PeakBF16(isa string) float64 { return peak(isa, true) }

func peak(isa string, bf16 bool) float64 {
	for _, i := range kernel.Available() {
		if i.String() == isa {
			return kernel.Peak(i, bf16)
		}
	}
	return 0
}
