package extract

import (
	"context"
	"fmt"
	"time"
)

// GridSide is the height and width of the grid of cells that a feature is the mean of. A
// cell stands for Side/GridSide × Side/GridSide pixels of the crop, and sees some around
// them, too.
const GridSide = 7

// GridLen is the number of values of a grid: GridSide rows of GridSide cells of Dim
// channels.
const GridLen = GridSide * GridSide * Dim

// gridder is an Engine that can also write grids. Its Grid is to [Extractor.Grid] what
// Forward is to [Extractor.Forward].
type gridder interface {
	Grid(ctx context.Context, grid []float32, pixels []uint8, n int) error
}

// Grid writes what the features of n crops are the means of, before the average: n ×
// GridLen values, by row of cells, cell and channel, each 0 or more. Crops are n ×
// PixelBytes, as for [Extractor.Forward]; both slices are the caller's and are not kept.
// A grid does not depend on the other crops.
//
// The mean over its cells is the feature: bit by bit where the native engine computes
// both. An engine that has no grids leaves them to the native one, which opens for them;
// then the mean is the feature within the numeric class.
//
// It takes as long as Forward. The error is that of ctx, or wraps ErrEngine.
func (x *Extractor) Grid(ctx context.Context, grid []float32, pixels []uint8, n int) error {
	if len(grid) != n*GridLen || len(pixels) != n*PixelBytes {
		return fmt.Errorf("extract: %d crops need %d bytes and %d floats, got %d and %d", n, n*PixelBytes, n*GridLen, len(pixels), len(grid))
	}
	engine, err := x.engine()
	if err != nil {
		return err
	}
	g, ok := engine.Engine.(gridder)
	if !ok {
		if engine, err = x.native(); err != nil {
			return err
		}
		g = engine.Engine.(gridder)
	}
	start := time.Now()
	if err := g.Grid(ctx, grid, pixels, n); err != nil {
		return fmt.Errorf("%w %s: %w", ErrEngine, engine.info.Name, err)
	}
	x.forwardNanos.Add(int64(time.Since(start)))
	return nil
}

// openNative opens the native engine beside one that has no grids.
func (x *Extractor) openNative(ctx context.Context) (openEngine, error) {
	e, info, err := nativeSpec(x.opts).Open(ctx, x.backbone())
	if err != nil {
		return openEngine{}, fmt.Errorf("%w %s: %w", ErrEngine, Native, err)
	}
	return openEngine{e, info}, nil
}

// Grid writes the grid (GridLen) of a crop; see [Extractor.Grid].
func (s *Single) Grid(ctx context.Context, grid []float32, crop []uint8) error {
	return s.x.Grid(ctx, grid, crop, 1)
}
