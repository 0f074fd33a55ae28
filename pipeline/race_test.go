//go:build race

package pipeline

import (
	"context"

	"icebox/extract"
)

const raceEnabled = true

// averages is a backbone that is quick under the race detector, where packing the
// real one's weights takes half a minute: a feature is the mean of some pixels, and
// a weight.
type averages struct{ weights []float32 }

func (a averages) Forward(_ context.Context, features []float32, pixels []uint8, n int) error {
	const share = extract.PixelBytes / extract.Dim
	for i := range features[:n*extract.Dim] {
		sum := 0
		for _, p := range pixels[i*share : (i+1)*share] {
			sum += int(p)
		}
		features[i] = float32(sum)/share + a.weights[i%extract.Dim]
	}
	return nil
}

// Grid writes grids all of whose cells are the feature.
func (a averages) Grid(ctx context.Context, grid []float32, pixels []uint8, n int) error {
	features := make([]float32, n*extract.Dim)
	if err := a.Forward(ctx, features, pixels, n); err != nil {
		return err
	}
	for i := range grid {
		grid[i] = features[i/extract.GridLen*extract.Dim+i%extract.Dim]
	}
	return nil
}

func (averages) Close() error { return nil }

// useQuickEngine has o's images computed by averages.
func useQuickEngine(o *Options) {
	o.Backbone.Engine = "averages"
	o.Engines = []extract.EngineSpec{{Name: "averages", Numerics: []string{"fp32"}, Open: func(_ context.Context, b extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		return averages{b.Tensor("conv1.weight")}, extract.EngineInfo{Name: "averages", ISA: "any", Plan: "test", Numeric: "fp32"}, nil
	}}}
}
