package embed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
)

// Options say what an [Embedder] computes, and where it keeps features. The zero value
// computes with torchvision's weights, as far as they are on this machine, and keeps nothing.
type Options struct {
	// Cache is the file that features are kept in, the same that the command uses; it is
	// made where it is not there. "" keeps none.
	Cache string
	// DType is how they are kept there: "" or float32, or float16, which takes half the room
	// and rounds what is handed out.
	DType cache.DType
	// Wait is how long to wait for another process that writes to the cache; 0 is not at all.
	Wait time.Duration
	// Backbone says what computes. Its zero value takes weights that are on this machine.
	Backbone extract.Options
	// Note hears remarks, as that the weights are random; nil hears none.
	Note func(text string)
}

// batch is how many images a core computes at a time.
const batch = 16

// Embedder turns images into features, each once. Many goroutines may use it; with a cache,
// one call after another is served, by all cores.
type Embedder struct {
	mu       sync.Mutex
	backbone *extract.Extractor // where nothing is kept
	store    *features.Store
	computer *features.Computer
	space    features.Space
	hits     int
	computed int
}

// remarks hands what a journal is told to a function.
type remarks struct {
	journal.Progress
	note func(string)
}

func (r remarks) Note(text string) { r.note(text) }

// Open finds the weights, and opens the cache. The engine gets ready at the first image that
// has to be computed. The errors are those of [extract.Open] and of cache.Open.
func Open(ctx context.Context, o Options) (*Embedder, error) {
	if o.Note == nil {
		o.Note = func(string) {}
	}
	o.DType = cmp.Or(o.DType, cache.Float32)
	if o.Cache == "" {
		x, err := extract.Open(ctx, o.Backbone)
		if err != nil {
			return nil, err
		}
		return &Embedder{backbone: x, space: features.SpaceOf(x, cache.Float32)}, nil
	}
	j := journal.New(remarks{journal.Silent, o.Note}, nil)
	store, err := features.OpenStore(context.WithoutCancel(ctx), o.Cache, o.Wait, j)
	if err != nil {
		return nil, err
	}
	c, err := features.OpenComputer(ctx, o.Backbone, store, features.Options{
		BatchSize: batch, MaxPixels: o.Backbone.MaxPixels, Memory: o.Backbone.Memory, DType: o.DType,
	}, j)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &Embedder{store: store, computer: c, space: c.Space()}, nil
}

// Images returns the features of encoded images (JPEG, PNG, GIF, BMP, WebP or TIFF):
// len(images) rows of [extract.Dim] values, each 0 or more. errs[i] is what is wrong with
// image i, whose row is 0. The error is not one image's: that of ctx, of the engine or of the
// cache; what was computed by then is kept. A decoded image goes through [extract.Encode].
//
// Rows that had to be computed are committed before Images returns. That takes some
// milliseconds, so one call with many images is quicker than many with one.
func (e *Embedder) Images(ctx context.Context, images ...[]byte) (x []float32, errs []error, err error) {
	x, errs = headtrain.NewFeatures(len(images)*extract.Dim), make([]error, len(images))
	if e.computer == nil {
		err = e.backbone.Extract(ctx, images, x, errs)
		return x, errs, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	computed, err := e.computer.Embed(ctx, images, x, errs)
	e.computed += computed
	for _, fault := range errs {
		if fault == nil {
			e.hits++
		}
	}
	e.hits -= computed
	return x, errs, err
}

// Image returns the [extract.Dim] features of one encoded image. The error is the image's, or
// one of [Embedder.Images].
func (e *Embedder) Image(ctx context.Context, image []byte) ([]float32, error) {
	x, errs, err := e.Images(ctx, image)
	return x, cmp.Or(err, errs[0])
}

// Counts says how many features came from the cache, and how many were computed, since Open.
// Without a cache both are 0.
func (e *Embedder) Counts() (hits, computed int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hits, e.computed
}

// Check returns an error wrapping [headtrain.ErrFingerprint] unless h was trained on such
// features.
func (e *Embedder) Check(h *headtrain.Head) error { return h.Check(e.space.ID, extract.Dim) }

// Describe puts into h, which was trained on such features, what they are: saved then, it is
// a head that `predict --run FILE` of the command takes, and that Check passes.
func (e *Embedder) Describe(h *headtrain.Head) error {
	info := runs.HeadInfo{Fingerprint: e.space.Fingerprint, DType: e.space.DType, Weights: e.space.Weights}
	if err := info.Describe(h, features.Origin{Space: e.space}); err != nil {
		return fmt.Errorf("describing the features: %w", err)
	}
	return nil
}

// Close lets go of the backbone and of the cache.
func (e *Embedder) Close() error {
	if e.computer == nil {
		return e.backbone.Close()
	}
	return errors.Join(e.computer.Close(), e.store.Close())
}
