package extract

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"icebox/extract/internal/imaging"
	"icebox/extract/internal/mem"
	"icebox/extract/internal/weights"
)

// Extractor turns encoded images into features. Open one, share it among
// goroutines, Close it.
type Extractor struct {
	opts    Options
	weights *weights.Set
	print   Fingerprint
	specs   []EngineSpec               // to try, in order
	engine  func() (openEngine, error) // opens at the first call
	native  func() (openEngine, error) // the same, for grids; has nothing to close
	opened  atomic.Bool
	skipped []error // why engines that come before the opened one did not open
	scratch freeList[scratch]

	decodeNanos, forwardNanos atomic.Int64
}

type openEngine struct {
	Engine
	info EngineInfo // as it was opened
}

// now says what computes at this moment.
func (e openEngine) now() EngineInfo {
	if changing, ok := e.Engine.(interface{ Info() EngineInfo }); ok {
		return changing.Info()
	}
	return e.info
}

// scratch is the memory of one Extract call.
type scratch struct {
	*imaging.Preprocessor
	pixels   []uint8
	features []float32
	at       []int // index of the image in each slot of pixels
}

// Open finds and checks weights and chooses an engine. The error names the file
// and everything wrong with it; see [ErrNoWeights] and its neighbours.
func Open(ctx context.Context, o Options) (*Extractor, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	set, err := o.openWeights(ctx)
	if err != nil {
		return nil, err
	}
	x := &Extractor{opts: o, weights: set, specs: o.candidates()}
	x.print = fingerprint(set.Hash(), o.numeric(), o)
	x.scratch.make = func() *scratch {
		p, err := imaging.New(o.pixels())
		if err != nil {
			panic(err) // unreachable: Validate has passed the same options
		}
		return &scratch{Preprocessor: p}
	}
	x.engine = sync.OnceValues(func() (openEngine, error) { return x.openFirst(ctx) })
	x.native = sync.OnceValues(func() (openEngine, error) { return x.openNative(ctx) })
	return x, nil
}

// openFirst opens the first of the engines that works here.
func (x *Extractor) openFirst(ctx context.Context) (openEngine, error) {
	for i, spec := range x.specs {
		e, info, err := spec.Open(ctx, x.backbone())
		last := i == len(x.specs)-1
		switch {
		case err == nil:
			x.opened.Store(true)
			return openEngine{e, info}, nil
		case !last && errors.Is(err, ErrNoDevice):
		case !last && ctx.Err() == nil:
			x.skipped = append(x.skipped, fmt.Errorf("engine %s: %w", spec.Name, err))
		default:
			return openEngine{}, fmt.Errorf("%w %s: %w", ErrEngine, spec.Name, err)
		}
	}
	return openEngine{}, fmt.Errorf("%w: this program has none for engine %q, device %q, precision %q", ErrEngine, x.opts.Engine, x.opts.Device, x.opts.numeric())
}

func (x *Extractor) backbone() Backbone {
	d, _ := ParseDevice(x.opts.Device) // Validate has read it
	note := x.opts.Note
	if note == nil {
		note = func(string) {}
	}
	memo := x.opts.Memo
	if memo == nil {
		memo = forgetful{}
	}
	return Backbone{Tensor: x.weights.Tensor, LUT: imaging.LUT(), Device: d, Numeric: x.opts.numeric(), Note: note, Memo: memo}
}

// Fingerprint names the function that x computes.
func (x *Extractor) Fingerprint() Fingerprint { return x.print }

// Engine says what computes the rows. It opens the engine if no call has opened it
// yet. Rows are certain to be computed so only if Engine says the same before Extract
// and after it: a GPU that runs short of memory goes on with another plan.
func (x *Extractor) Engine() (EngineInfo, error) {
	e, err := x.engine()
	if err != nil {
		return EngineInfo{}, err
	}
	return e.now(), nil
}

// Skipped says which engines "auto" would have preferred and why they cannot run
// here. It opens the engine if no call has opened it yet.
func (x *Extractor) Skipped() []error {
	_, _ = x.engine() // Extract returns its error
	return x.skipped
}

// EngineName names the engine and what it runs on. As long as none is open, it names
// the last that would be tried.
func (x *Extractor) EngineName() (engine, isa string) {
	if x.opened.Load() {
		e, _ := x.engine()
		info := e.now()
		return info.Name, info.ISA
	}
	if n := len(x.specs); n > 0 && x.specs[n-1].Name != Native {
		return x.specs[n-1].Name, ""
	}
	return Native, nativeISA(x.opts.ISA)
}

// Extract computes the features of images (each the bytes of one image file) into
// rows (len(images) × Dim). errs[i] is set to nil or to what is wrong with image i,
// whose row is then zero. The error that is returned is not about one image: the
// engine failed, or ctx ended, and what rows then holds is unspecified.
//
// Callers who would not hold the bytes of all images at once take [Extractor.Preprocess]
// and [Extractor.Forward], of which Extract is made.
func (x *Extractor) Extract(ctx context.Context, images [][]byte, rows []float32, errs []error) error {
	if len(rows) != len(images)*Dim || len(errs) != len(images) {
		return fmt.Errorf("extract: %d images need %d floats and as many errors, got %d and %d", len(images), len(images)*Dim, len(rows), len(errs))
	}
	if _, err := x.engine(); err != nil {
		return err
	}
	s := x.scratch.get()
	defer x.scratch.put(s)
	s.pixels, s.at = mem.Grow(s.pixels, len(images)*PixelBytes), s.at[:0]
	for i, data := range images {
		slot := len(s.at) * PixelBytes
		_, errs[i] = x.preprocess(ctx, s.Preprocessor, s.pixels[slot:slot+PixelBytes], data)
		if err := ctx.Err(); err != nil {
			return err
		}
		if errs[i] == nil {
			s.at = append(s.at, i)
		}
	}
	n := len(s.at)
	clear(rows)
	if n == 0 {
		return nil
	}
	s.features = mem.Grow(s.features, n*Dim)
	if err := x.Forward(ctx, s.features, s.pixels[:n*PixelBytes], n); err != nil {
		return err
	}
	for slot, i := range s.at {
		copy(rows[i*Dim:(i+1)*Dim], s.features[slot*Dim:])
	}
	return nil
}

// Traits are what is remarkable about an image.
type Traits struct {
	Alpha     bool // some pixel is not opaque
	Grey16    bool // grey of 12 or 16 bits, which Pillow clips to 255, and of which the upper 8 count here
	Elongated bool // one side is more than twice the other
	Truncated bool // it ends early, and was accepted all the same

	Measures
}

// Preprocess writes the crop of one encoded image: decoded, upright, resized and
// cropped to Side × Side pixels of interleaved RGB (PixelBytes). The error is what is
// wrong with the image, or that of ctx, if it has ended.
func (x *Extractor) Preprocess(ctx context.Context, crop []uint8, image []byte) (Traits, error) {
	s := x.scratch.get()
	defer x.scratch.put(s)
	return x.preprocess(ctx, s.Preprocessor, crop, image)
}

func (x *Extractor) preprocess(ctx context.Context, p *imaging.Preprocessor, crop []uint8, image []byte) (Traits, error) {
	start := time.Now()
	defer func() { x.decodeNanos.Add(int64(time.Since(start))) }()
	return (&Preprocessor{p}).Crop(ctx, crop, image)
}

// Memory returns how many bytes Preprocess takes at most for an encoded image, those of the
// image among them. It reads the header alone; the error is what is wrong with it.
func (x *Extractor) Memory(image []byte) (int64, error) {
	s := x.scratch.get()
	defer x.scratch.put(s)
	return s.Memory(image)
}

// Forward computes the features (n × Dim) of n crops (n × PixelBytes, rows of
// interleaved RGB), as [Extractor.Preprocess] makes them.
func (x *Extractor) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	if len(features) != n*Dim || len(pixels) != n*PixelBytes {
		return fmt.Errorf("extract: %d crops need %d bytes and %d floats, got %d and %d", n, n*PixelBytes, n*Dim, len(pixels), len(features))
	}
	engine, err := x.engine()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := engine.Forward(ctx, features, pixels, n); err != nil {
		return fmt.Errorf("%w %s: %w", ErrEngine, engine.info.Name, err)
	}
	x.forwardNanos.Add(int64(time.Since(start)))
	return nil
}

// Times returns the processor time spent so far, summed over goroutines.
func (x *Extractor) Times() (decode, forward time.Duration) {
	return time.Duration(x.decodeNanos.Load()), time.Duration(x.forwardNanos.Load())
}

// Weights says where the weights came from.
func (x *Extractor) Weights() WeightsInfo { return weightsInfo(x.weights) }

// Close releases the engine and the weights. No Extract may be running.
func (x *Extractor) Close() error {
	var err error
	if x.opened.Load() {
		e, _ := x.engine()
		err = e.Close()
	}
	return errors.Join(err, x.weights.Close())
}
