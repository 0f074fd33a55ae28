package extract

import (
	"context"
	"fmt"

	"icebox/extract/internal/imaging"
)

// Preprocessor makes crops as an [Extractor] with the same options does, without weights or
// an engine. It is for one goroutine.
type Preprocessor struct{ p *imaging.Preprocessor }

// NewPreprocessor takes, of o, what says how images become crops.
func NewPreprocessor(o Options) (*Preprocessor, error) {
	p, err := imaging.New(o.pixels())
	return &Preprocessor{p}, err
}

// Crop writes the crop of one encoded image; see [Extractor.Preprocess].
func (p *Preprocessor) Crop(ctx context.Context, crop []uint8, image []byte) (Traits, error) {
	if len(crop) != PixelBytes {
		return Traits{}, fmt.Errorf("extract: a crop needs %d bytes, got %d", PixelBytes, len(crop))
	}
	if err := p.p.CropContext(ctx, (*imaging.Pixels)(crop), image); err != nil {
		return Traits{}, err
	}
	t := p.p.Traits()
	return Traits{t.Alpha, t.Grey16, t.Elongated, t.Truncated, Measures(t.Measures)}, nil
}
