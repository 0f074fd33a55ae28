package extract

import (
	"context"
	"runtime"
	"sync"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
	"icebox/extract/internal/resnet"
)

// native is the CPU engine: a packed network shared by all goroutines and an
// arena of scratch memory for each that is inside Forward.
type native struct {
	net     *resnet.Net
	threads int
	arenas  freeList[resnet.Workspace]
}

var _ Engine = (*native)(nil)

// nativeNumerics are the numeric classes of the CPU engine.
var nativeNumerics = []string{resnet.FP32, resnet.BF16}

func nativeSpec(o Options) EngineSpec {
	return EngineSpec{Name: Native, Numerics: nativeNumerics, Open: func(_ context.Context, b Backbone) (Engine, EngineInfo, error) {
		plan := o.Plan
		if plan == Auto {
			plan = resnet.Winograd
		}
		net, err := resnet.New(b.Tensor, resnet.Options{LUT: b.LUT, ISA: o.ISA, Plan: plan, Precision: b.Numeric})
		if err != nil {
			return nil, EngineInfo{}, err
		}
		e := &native{net: net, threads: max(1, o.Threads)}
		e.arenas.make = net.NewWorkspace
		return e, nativeInfo(net), nil
	}}
}

func nativeInfo(net *resnet.Net) EngineInfo {
	return EngineInfo{Name: Native, ISA: net.ISA(), Plan: net.Plan(), Version: resnet.Version, Numeric: net.Precision()}
}

func (e *native) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	return e.share(ctx, e.net.Forward, Dim, features, pixels, n)
}

func (e *native) Grid(ctx context.Context, grid []float32, pixels []uint8, n int) error {
	return e.share(ctx, e.net.Grid, GridLen, grid, pixels, n)
}

// share shares out n images, for each of which compute writes size values.
func (e *native) share(ctx context.Context, compute func(*resnet.Workspace, []float32, []uint8, int), size int, out []float32, pixels []uint8, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	part := func(from, n int) {
		ws := e.arenas.get()
		defer e.arenas.put(ws)
		compute(ws, out[from*size:(from+n)*size], pixels[from*PixelBytes:(from+n)*PixelBytes], n)
	}
	var wg sync.WaitGroup
	share := (n + e.threads - 1) / e.threads
	for from := share; from < n; from += share {
		wg.Go(func() { part(from, min(share, n-from)) })
	}
	part(0, min(share, n))
	wg.Wait()
	return nil
}

func (e *native) Close() error { return nil }

// nativeSingle is the CPU engine that shares each image among all its threads.
type nativeSingle struct {
	mu  sync.Mutex
	net *resnet.Single
}

var _ Engine = (*nativeSingle)(nil)

func nativeSingleSpec(o Options) EngineSpec {
	return EngineSpec{Name: Native, Numerics: nativeNumerics, Open: func(_ context.Context, b Backbone) (Engine, EngineInfo, error) {
		net, err := resnet.New(b.Tensor, resnet.Options{LUT: b.LUT, ISA: o.ISA, Plan: resnet.Compact, Precision: b.Numeric})
		if err != nil {
			return nil, EngineInfo{}, err
		}
		threads := o.Threads
		if threads == 0 {
			threads = runtime.GOMAXPROCS(0)
		}
		return &nativeSingle{net: net.NewSingle(threads)}, nativeInfo(net), nil
	}}
}

func (e *nativeSingle) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	return e.each(ctx, e.net.Forward, Dim, features, pixels, n)
}

func (e *nativeSingle) Grid(ctx context.Context, grid []float32, pixels []uint8, n int) error {
	return e.each(ctx, e.net.Grid, GridLen, grid, pixels, n)
}

// each computes n images one by one, for each of which compute writes size values.
func (e *nativeSingle) each(ctx context.Context, compute func([]float32, []uint8), size int, out []float32, pixels []uint8, n int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		compute(out[i*size:(i+1)*size], pixels[i*PixelBytes:(i+1)*PixelBytes])
	}
	return nil
}

func (e *nativeSingle) Close() error {
	e.net.Close()
	return nil
}

// NativeISA names the instruction set that the native engine would use here.
func NativeISA() string { return nativeISA(Auto) }

func nativeISA(name string) string {
	if name == "" || name == Auto {
		return isa.Best(kernel.Available()).String()
	}
	return name
}
