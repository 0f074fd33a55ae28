//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"icebox/extract"
	"icebox/extract/internal/resnet"
)

// engine shares calls among GPUs. A GPU that fails is not used any more, or, if its
// memory ran short, is opened again for smaller batches. The images that it had go
// back to the calls that brought them, which hand them to a GPU that works.
type engine struct {
	lib      *libraries
	backbone extract.Backbone

	mu      sync.Mutex // is held also while a device is opened again, which is rare and takes seconds
	devices []*device  // those that work, as far as is known
	lost    []*device  // the others, which are closed with the engine
	failed  error      // why none is left
	info    extract.EngineInfo
	probe   []float32 // the first device's feature of the test image that each computes when it is opened
}

var _ extract.Engine = (*engine)(nil)

// open loads the libraries and puts the network on every GPU asked for.
func open(o Options, b extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
	lib, err := loadLibraries(o.getenv)
	if err != nil {
		return nil, extract.EngineInfo{}, err
	}
	gpus, err := lib.driver.choose(b.Device.IDs)
	if err != nil {
		return nil, extract.EngineInfo{}, err
	}
	most := o.Batch
	if most == 0 {
		most = defaultBatch
	}
	e := &engine{lib: lib, backbone: b}
	var faults []error
	for _, g := range gpus {
		d, err := e.fit(g, most)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		e.devices = append(e.devices, d)
	}
	if len(e.devices) == 0 {
		return nil, extract.EngineInfo{}, fmt.Errorf("%w: %w", ErrNoneOpens, errors.Join(faults...))
	}
	for _, err := range faults {
		b.Note(fmt.Sprintf("a GPU is not used; the images go to %s: %v", e.working(), err))
	}
	e.describe()
	return e, e.info, nil
}

// choose returns the GPUs with these numbers, or all.
func (d *driver) choose(ids []int) ([]gpu, error) {
	n, err := d.count()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		for i := range n {
			ids = append(ids, i)
		}
	}
	var list []gpu
	for _, id := range ids {
		if id >= n {
			return nil, fmt.Errorf("%w: cuda:%d is asked for, and this machine has %d GPUs, from cuda:0 on", ErrNoSuchGPU, id, n)
		}
		g, err := d.gpu(id)
		if err != nil {
			return nil, fmt.Errorf("cuda:%d: %w", id, err)
		}
		list = append(list, g)
	}
	return list, nil
}

// fit opens the device with the largest batch shape, up to most, that its free memory
// holds. It checks that the device agrees with the first that was opened, because
// extract's gate judges an engine by one image, which one device computes.
func (e *engine) fit(g gpu, most int) (*device, error) {
	layers, err := resnet.Fold(e.backbone.Tensor)
	if err != nil {
		return nil, err
	}
	d, err := openDevice(e.lib, g, layers, e.backbone.LUT, precisions[e.backbone.Numeric], most, e.backbone.Memo)
	for err != nil && outOfMemory(err) && d.batch > 1 {
		d, err = openDevice(e.lib, g, layers, e.backbone.LUT, precisions[e.backbone.Numeric], d.batch/2, e.backbone.Memo)
	}
	if err != nil {
		return nil, err
	}
	if e.probe == nil {
		e.probe = d.probe
		return d, nil
	}
	if c, least := cosine(d.probe, e.probe), extract.LeastCosine(e.backbone.Numeric); !(c >= least) {
		return nil, errors.Join(fmt.Errorf("%w: %s (cuda:%d) against the first GPU on a test image: cosine %.7f, must be at least %v",
			extract.ErrEnginesDisagree, g.name, g.ordinal, c, least), d.close())
	}
	return d, nil
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 && bb == 0 {
		return 1
	}
	return ab / math.Sqrt(aa*bb)
}

// describe notes what computes from now on; GPUs of one model share a plan.
func (e *engine) describe() {
	var names, plans []string
	for _, d := range e.devices {
		if !slices.Contains(names, d.name) {
			names = append(names, d.name)
		}
		if text := d.net.text(); !slices.Contains(plans, text) {
			plans = append(plans, text)
		}
	}
	e.info = extract.EngineInfo{
		Name: extract.CUDA, ISA: strings.Join(names, " + "), Plan: strings.Join(plans, "+"), Version: planVersion,
		Driver: e.lib.driverText(), Numeric: e.backbone.Numeric,
	}
}

// Info changes when a device is lost or opened again, and never changes back.
func (e *engine) Info() extract.EngineInfo {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.info
}

// span is n images of a call.
type span struct{ from, n int }

func (e *engine) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	todo := []span{{0, n}}
	for len(todo) > 0 {
		var err error
		if todo, err = e.share(ctx, features, pixels, todo); err != nil {
			return err
		}
	}
	return nil
}

// share has the devices compute the spans, and returns those that a device failed at
// and another can do.
func (e *engine) share(ctx context.Context, features []float32, pixels []uint8, todo []span) ([]span, error) {
	var left leftovers
	var wg sync.WaitGroup
	for _, s := range todo {
		for s.n > 0 {
			d, err := e.idlest(ctx)
			if err != nil {
				left.add(span{}, err)
				break
			}
			taken, collect, err := d.forward(features[s.from*extract.Dim:], pixels[s.from*extract.PixelBytes:(s.from+s.n)*extract.PixelBytes], s.n)
			if err != nil {
				left.add(s, e.fallen(d))
				break
			}
			part := span{s.from, taken}
			wg.Go(func() {
				if collect() != nil {
					left.add(part, e.fallen(d))
				}
			})
			s = span{s.from + taken, s.n - taken}
		}
	}
	wg.Wait()
	return left.spans, left.err
}

// leftovers are the spans that a call has to do again, or the reason why it cannot.
type leftovers struct {
	mu    sync.Mutex
	spans []span
	err   error
}

func (l *leftovers) add(s span, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spans = append(l.spans, s)
	if l.err == nil {
		l.err = err
	}
}

// idlest returns the device that the fewest images wait for.
func (e *engine) idlest(ctx context.Context) (*device, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.devices) == 0 {
		return nil, e.failed
	}
	return slices.MinFunc(e.devices, func(a, b *device) int { return a.load() - b.load() }), nil
}

// fallen decides, once, what becomes of a device that failed: it is opened again for
// smaller batches, or lost. The error is not nil if no device is left.
func (e *engine) fallen(d *device) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.Index(e.devices, d)
	if i < 0 {
		return e.failed
	}
	d.drain() // callers still read memory that is about to be given back
	cause := d.failure()
	if outOfMemory(cause) && d.batch > 1 {
		smaller, err := e.reopen(d)
		if err == nil {
			e.devices[i] = smaller
			e.describe()
			e.backbone.Note(fmt.Sprintf("going on with batches of %d instead of %d, because the GPU's memory ran short: %v", smaller.batch, d.batch, cause))
			return nil
		}
		cause = errors.Join(cause, err)
	} else {
		e.lost = append(e.lost, d)
	}
	e.devices = slices.Delete(e.devices, i, i+1)
	if len(e.devices) == 0 {
		e.failed = cause
		return cause
	}
	e.describe()
	e.backbone.Note(fmt.Sprintf("a GPU failed and is not used any more; its images go to %s: %v", e.working(), cause))
	return nil
}

// reopen closes d and opens it for half the batch.
func (e *engine) reopen(d *device) (*device, error) {
	if err := d.close(); err != nil {
		return nil, err
	}
	return e.fit(d.gpu, d.batch/2)
}

// working names the devices that work.
func (e *engine) working() string {
	var names []string
	for _, d := range e.devices {
		names = append(names, fmt.Sprintf("cuda:%d", d.ordinal))
	}
	return strings.Join(names, ", ")
}

// Close gives everything back. It leaves out the errors of devices that have failed
// before.
func (e *engine) Close() error {
	var errs []error
	for _, d := range e.devices {
		if err := d.close(); d.broken == nil {
			errs = append(errs, err)
		}
	}
	for _, d := range e.lost {
		d.close()
	}
	e.devices, e.lost = nil, nil
	return errors.Join(errs...)
}
