package serve

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"icebox/extract"
)

// compact is the plan of the backbone that single images are computed by, too.
const compact = "compact"

// MaxBatch is how many images a worker takes at once.
const MaxBatch = 16

var (
	// ErrBusy is returned where too many images wait already.
	ErrBusy = errors.New("too many images are waiting")
	// ErrClosed is returned by a backbone that is closed, as after its model was replaced.
	ErrClosed = errors.New("the model is not served any more")
)

// BackboneOptions configure a [Backbone].
type BackboneOptions struct {
	Extract extract.Options
	// Queue is how many images may wait; 0 means 256.
	Queue int
	// Exact has images computed by the plan that Extract names, or that fills the cache where
	// it names none; else it is the plan of single images.
	Exact bool
	// Batched, if it is not nil, is told of each batch that was computed: its images, and how
	// long the first of them waited.
	Batched func(images int, waited time.Duration)
}

// Backbone computes the features of images. Many goroutines may use it.
type Backbone struct {
	o      BackboneOptions
	x      *extract.Extractor
	single *extract.Single // nil: every image is computed exactly

	mu      sync.Mutex
	filled  *sync.Cond
	queue   []*job // the oldest first
	free    int    // workers that do not compute
	busy    int    // workers that compute
	closed  bool
	workers sync.WaitGroup
}

// Input is an image: the bytes of a file, or a crop of [extract.PixelBytes].
type Input struct{ Image, Crop []uint8 }

// job is an image that waits for its feature.
type job struct {
	Input
	ctx     context.Context
	since   time.Time
	feature []float32
	fault   error // of the image
	err     error // of what computes
	done    chan struct{}
}

// OpenBackbone finds the weights, and gets engine and workers ready.
func OpenBackbone(ctx context.Context, o BackboneOptions) (*Backbone, error) {
	if o.Queue == 0 {
		o.Queue = 256
	}
	b := &Backbone{o: o}
	b.filled = sync.NewCond(&b.mu)
	alone := o.Extract
	o.Extract.Threads = 1 // a worker each
	if !o.Exact && (o.Extract.Plan == "" || o.Extract.Plan == extract.Auto) {
		o.Extract.Plan = compact // batches are small here, and its weights stay in the processor's caches
	}
	var err error
	if b.x, err = extract.Open(ctx, o.Extract); err != nil {
		return nil, err
	}
	if err = b.getReady(ctx, alone); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.free = runtime.GOMAXPROCS(0)
	for range runtime.GOMAXPROCS(0) { // b.free changes from now on
		b.workers.Go(b.work)
	}
	return b, nil
}

// getReady has each engine compute once, so that the first request need not wait for it.
func (b *Backbone) getReady(ctx context.Context, alone extract.Options) (err error) {
	crop, feature := make([]uint8, extract.PixelBytes), make([]float32, extract.Dim)
	if err = b.x.Forward(ctx, feature, crop, 1); err != nil {
		return err
	}
	engine, err := b.x.Engine()
	if err != nil || b.o.Exact || engine.Name != extract.Native || runtime.GOMAXPROCS(0) == 1 {
		return err
	}
	if b.single, err = extract.OpenSingle(ctx, alone); err != nil {
		return err
	}
	return b.single.Forward(ctx, feature, crop)
}

// Space names the function that b computes, for features of a type.
func (b *Backbone) Space(dtype string) string { return b.x.Fingerprint().ID(dtype) }

// Weights says where the weights came from.
func (b *Backbone) Weights() extract.WeightsInfo { return b.x.Weights() }

// Waiting is how many images wait.
func (b *Backbone) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// Features writes the features of images to x (len(inputs) × [extract.Dim]). faults[i] is what
// is wrong with image i. The error is [ErrBusy], [ErrClosed], that of ctx or that of the
// engine; the images do not wait any longer then.
func (b *Backbone) Features(ctx context.Context, inputs []Input, x []float32, faults []error) error {
	jobs := make([]*job, len(inputs))
	for i, in := range inputs {
		jobs[i] = &job{Input: in, ctx: ctx, since: time.Now(), feature: make([]float32, extract.Dim), done: make(chan struct{})}
	}
	if err := b.enqueue(jobs); err != nil {
		return err
	}
	for i, j := range jobs {
		select {
		case <-j.done:
		case <-ctx.Done():
			b.forget(ctx)
			return ctx.Err()
		}
		if j.err != nil {
			b.forget(ctx)
			return j.err
		}
		copy(x[i*extract.Dim:(i+1)*extract.Dim], j.feature)
		faults[i] = j.fault
	}
	return nil
}

func (b *Backbone) enqueue(jobs []*job) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	if len(b.queue)+len(jobs) > b.o.Queue {
		return fmt.Errorf("%w: %d, and %d may wait", ErrBusy, len(b.queue)+len(jobs), b.o.Queue)
	}
	b.queue = append(b.queue, jobs...)
	b.filled.Broadcast()
	return nil
}

// forget takes the images of a request that has ended out of the queue.
func (b *Backbone) forget(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = slices.DeleteFunc(b.queue, func(j *job) bool { return j.ctx == ctx })
}

// work is a worker: it computes until the backbone is closed and nothing waits.
func (b *Backbone) work() {
	crops, rows := make([]uint8, MaxBatch*extract.PixelBytes), make([]float32, MaxBatch*extract.Dim)
	for {
		jobs, alone := b.take()
		if jobs == nil {
			return
		}
		if b.o.Batched != nil {
			b.o.Batched(len(jobs), time.Since(jobs[0].since))
		}
		b.compute(jobs, alone, crops, rows)
		b.mu.Lock()
		b.busy, b.free = b.busy-1, b.free+1
		b.mu.Unlock()
	}
}

// take waits for images and takes its share of them; nil says that there will be no more.
// alone reports that nothing else waits or is being computed.
func (b *Backbone) take() (jobs []*job, alone bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) == 0 {
		if b.closed {
			return nil, false
		}
		b.filled.Wait()
	}
	n := min((len(b.queue)+b.free-1)/b.free, MaxBatch)
	jobs = slices.Clone(b.queue[:n])
	b.queue = slices.Delete(b.queue, 0, n)
	b.busy, b.free = b.busy+1, b.free-1
	return jobs, n == 1 && len(b.queue) == 0 && b.busy == 1
}

// compute decodes images and computes their features.
func (b *Backbone) compute(jobs []*job, alone bool, crops []uint8, rows []float32) {
	var sound []*job
	for _, j := range jobs {
		crop := crops[len(sound)*extract.PixelBytes:][:extract.PixelBytes]
		switch {
		case j.ctx.Err() != nil:
			j.err = j.ctx.Err()
		case j.Crop != nil:
			copy(crop, j.Crop)
			sound = append(sound, j)
		default:
			if _, j.fault = b.x.Preprocess(j.ctx, crop, j.Image); j.fault == nil {
				sound = append(sound, j)
			}
		}
	}
	if n := len(sound); n > 0 {
		// The images of a batch are of several requests: the end of one is not that of another.
		ctx := context.WithoutCancel(sound[0].ctx)
		var err error
		if alone && b.single != nil {
			err = b.single.Forward(ctx, rows[:extract.Dim], crops[:extract.PixelBytes])
		} else {
			err = b.x.Forward(ctx, rows[:n*extract.Dim], crops[:n*extract.PixelBytes], n)
		}
		for i, j := range sound {
			j.err = err
			copy(j.feature, rows[i*extract.Dim:])
		}
	}
	for _, j := range jobs {
		close(j.done)
	}
}

// Close waits for the images that wait, and lets go of the engine. Features returns
// [ErrClosed] from now on.
func (b *Backbone) Close() error {
	b.mu.Lock()
	b.closed = true
	b.filled.Broadcast()
	b.mu.Unlock()
	b.workers.Wait()
	return b.close()
}

func (b *Backbone) close() error {
	var errs []error
	if b.single != nil {
		errs = append(errs, b.single.Close())
	}
	return errors.Join(append(errs, b.x.Close())...)
}
