package extract

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
)

// cropsOf are the crops of images, one behind another.
func cropsOf(t testing.TB, x *Extractor, images [][]byte) []uint8 {
	t.Helper()
	crops := make([]uint8, len(images)*PixelBytes)
	for i, img := range images {
		if _, err := x.Preprocess(context.Background(), crops[i*PixelBytes:][:PixelBytes], img); err != nil {
			t.Fatal(err)
		}
	}
	return crops
}

// checkMeans fails unless the means of grids are features, within a share of the largest.
func checkMeans(t *testing.T, grid, features []float32, within float64) {
	t.Helper()
	for i := range len(grid) / GridLen {
		largest := 0.0
		for _, v := range features[i*Dim:][:Dim] {
			largest = math.Max(largest, float64(v))
		}
		for c, want := range features[i*Dim:][:Dim] {
			sum := 0.0
			for cell := range GridSide * GridSide {
				sum += float64(grid[i*GridLen+cell*Dim+c])
			}
			if mean := sum / (GridSide * GridSide); !(math.Abs(mean-float64(want)) <= within*largest) {
				t.Fatalf("image %d: the mean of channel %d is %v, the feature %v", i, c, mean, want)
			}
		}
	}
}

func TestMeanOfAGridIsTheFeature(t *testing.T) {
	ctx := context.Background()
	images := encoded(t, 3)
	x := open(t, Options{Threads: 2})
	crops := cropsOf(t, x, images)
	rows, grid := make([]float32, len(images)*Dim), make([]float32, len(images)*GridLen)
	if err := errors.Join(x.Forward(ctx, rows, crops, len(images)), x.Grid(ctx, grid, crops, len(images))); err != nil {
		t.Fatal(err)
	}
	checkMeans(t, grid, rows, 1e-6)

	s, err := OpenSingle(ctx, Options{Weights: Random, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	row, cells := make([]float32, Dim), make([]float32, GridLen)
	if err := errors.Join(s.Forward(ctx, row, crops[:PixelBytes]), s.Grid(ctx, cells, crops[:PixelBytes])); err != nil {
		t.Fatal(err)
	}
	checkMeans(t, cells, row, 1e-6)
	checkMeans(t, cells, rows[:Dim], 1e-2)
}

// An engine without grids has those of the native one.
func TestGridOfAnEngineThatHasNone(t *testing.T) {
	ctx := context.Background()
	images := encoded(t, 1)
	x := open(t, Options{})
	crop := cropsOf(t, x, images)
	other := EngineSpec{Name: "broken", Numerics: []string{"fp32"}, Open: func(context.Context, Backbone) (Engine, EngineInfo, error) {
		return brokenEngine{}, EngineInfo{Name: "broken", Plan: "none", Numeric: "fp32"}, nil
	}}
	y := open(t, Options{Engine: "broken", Engines: []EngineSpec{other}})
	grid := make([]float32, GridLen)
	if err := y.Grid(ctx, grid, crop, 1); err != nil {
		t.Fatal(err)
	}
	checkMeans(t, grid, features(t, x, images), 1e-6)
}

func TestGridRefusesSlicesOfOtherLengths(t *testing.T) {
	x := open(t, Options{})
	err := x.Grid(context.Background(), make([]float32, GridLen-1), make([]uint8, PixelBytes), 1)
	if err == nil || !strings.Contains(err.Error(), "25088 floats") {
		t.Errorf("%v", err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if err := x.Grid(ended, make([]float32, GridLen), make([]uint8, PixelBytes), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// BenchmarkGrid is a grid beside the feature that is its mean.
func BenchmarkGrid(b *testing.B) {
	ctx := context.Background()
	const n = 16
	crops, rows, grid := make([]uint8, n*PixelBytes), make([]float32, n*Dim), make([]float32, n*GridLen)
	for i := range crops {
		crops[i] = uint8(i * 2654435761 >> 7)
	}
	x := open(b, Options{})
	s, err := OpenSingle(ctx, Options{Weights: Random})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		name   string
		images int
		run    func() error
	}{
		{"batch/forward", n, func() error { return x.Forward(ctx, rows, crops, n) }},
		{"batch/grid", n, func() error { return x.Grid(ctx, grid, crops, n) }},
		{"single/forward", 1, func() error { return s.Forward(ctx, rows[:Dim], crops[:PixelBytes]) }},
		{"single/grid", 1, func() error { return s.Grid(ctx, grid[:GridLen], crops[:PixelBytes]) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*c.images), "ms/image")
		})
	}
}
