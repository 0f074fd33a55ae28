package extract

import "context"

// Single answers for one image at a time. Its first answer comes sooner than an
// [Extractor]'s, each image has all processors, and its weights take a quarter of the
// memory. Its features agree with an Extractor's within the numeric class, but not bit
// by bit: so a Single has no Extract, and no row that is kept comes from it.
type Single struct {
	x *Extractor
}

// OpenSingle is [Open] for a Single. Where the options allow the native engine, it is
// chosen, because a GPU takes longer to get ready than a few images do. The engine
// gets ready while the caller goes on. Options.Threads is how many threads share an
// image, all processors if 0; Options.Plan is not used.
func OpenSingle(ctx context.Context, o Options) (*Single, error) {
	x, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, s := range x.specs {
		if s.Name == Native {
			x.specs = []EngineSpec{nativeSingleSpec(o)}
		}
	}
	go func() { _, _ = x.engine() }() // Extract returns its error
	return &Single{x}, nil
}

// Feature writes the feature (Dim values) of an encoded image. fault is what is wrong
// with the image; err says that the engine failed or that ctx ended.
func (s *Single) Feature(ctx context.Context, feature []float32, image []byte) (fault, err error) {
	errs := make([]error, 1)
	err = s.x.Extract(ctx, [][]byte{image}, feature, errs)
	return errs[0], err
}

// Forward writes the feature of a crop; see [Extractor.Forward].
func (s *Single) Forward(ctx context.Context, feature []float32, crop []uint8) error {
	return s.x.Forward(ctx, feature, crop, 1)
}

// Fingerprint names the function that s computes.
func (s *Single) Fingerprint() Fingerprint { return s.x.Fingerprint() }

// Engine says what computes the features, once it is ready.
func (s *Single) Engine() (EngineInfo, error) { return s.x.Engine() }

// Weights says where the weights came from.
func (s *Single) Weights() WeightsInfo { return s.x.Weights() }

// Close releases the engine and the weights. No Feature may be running.
func (s *Single) Close() error {
	s.x.engine() //nolint:errcheck // it may still read the weights; its error went to Feature
	return s.x.Close()
}
