//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"icebox/extract"
	"icebox/extract/internal/resnet"
)

// engine shares calls among GPUs.
type engine struct {
	devices []*device
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
	layers, err := resnet.Fold(b.Tensor)
	if err != nil {
		return nil, extract.EngineInfo{}, err
	}
	e := &engine{}
	for _, g := range gpus {
		d, err := fit(lib, g, layers, b, o.Batch)
		if err != nil {
			return nil, extract.EngineInfo{}, errors.Join(fmt.Errorf("%w. Set backbone.device=cpu to go on without it", err), e.Close())
		}
		e.devices = append(e.devices, d)
	}
	return e, e.info(lib, b.Numeric), nil
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
			return nil, fmt.Errorf("backbone.device asks for cuda:%d, and this machine has %d GPUs, from cuda:0 on", id, n)
		}
		g, err := d.gpu(id)
		if err != nil {
			return nil, fmt.Errorf("cuda:%d: %w", id, err)
		}
		list = append(list, g)
	}
	return list, nil
}

// fit opens the device with the largest batch shape, up to most, that its free
// memory holds.
func fit(lib *libraries, g gpu, layers *resnet.Folded, b extract.Backbone, most int) (*device, error) {
	if most == 0 {
		most = defaultBatch
	}
	for batch := most; ; batch /= 2 {
		d, err := openDevice(lib, g, layers, b.LUT, precisions[b.Numeric], batch)
		var short interface{ outOfMemory() bool }
		if err == nil || batch == 1 || !errors.As(err, &short) || !short.outOfMemory() {
			return d, err
		}
	}
}

// info describes the engine; GPUs of one model share a plan.
func (e *engine) info(lib *libraries, numeric string) extract.EngineInfo {
	var names, plans []string
	for _, d := range e.devices {
		if !slices.Contains(names, d.name) {
			names = append(names, d.name)
		}
		if text := d.net.text(); !slices.Contains(plans, text) {
			plans = append(plans, text)
		}
	}
	return extract.EngineInfo{
		Name: extract.CUDA, ISA: strings.Join(names, " + "), Plan: strings.Join(plans, "+"), Version: planVersion,
		Driver: lib.driverText(), Numeric: numeric,
	}
}

func (e *engine) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = err
		}
	}
	for from := 0; from < n; {
		taken, collect, err := e.idlest().forward(ctx, features[from*extract.Dim:], pixels[from*extract.PixelBytes:n*extract.PixelBytes], n-from)
		if err != nil {
			fail(err)
			break
		}
		wg.Go(func() {
			if err := collect(); err != nil {
				fail(err)
			}
		})
		from += taken
	}
	wg.Wait()
	return failed
}

// idlest is the device that the fewest images wait for.
func (e *engine) idlest() *device {
	if len(e.devices) == 1 {
		return e.devices[0]
	}
	return slices.MinFunc(e.devices, func(a, b *device) int { return a.load() - b.load() })
}

// Close gives everything back. What a device that failed says then is not new.
func (e *engine) Close() error {
	var errs []error
	for _, d := range e.devices {
		d.end()
		err := <-d.closed
		if d.broken == nil {
			errs = append(errs, err)
		}
	}
	e.devices = nil
	return errors.Join(errs...)
}
