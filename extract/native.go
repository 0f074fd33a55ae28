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

func nativeSpec(o Options) EngineSpec {
	return EngineSpec{Name: Native, Numerics: []string{"fp32"}, Open: func(_ context.Context, b Backbone) (Engine, EngineInfo, error) {
		plan := o.Plan
		if plan == Auto {
			plan = resnet.Winograd
		}
		net, err := resnet.New(b.Tensor, resnet.Options{LUT: b.LUT, ISA: o.ISA, Plan: plan})
		if err != nil {
			return nil, EngineInfo{}, err
		}
		e := &native{net: net, threads: max(1, o.Threads)}
		e.arenas.make = net.NewWorkspace
		return e, nativeInfo(net), nil
	}}
}

func nativeInfo(net *resnet.Net) EngineInfo {
	return EngineInfo{Name: Native, ISA: net.ISA(), Plan: net.Plan(), Version: resnet.Version, Numeric: "fp32"}
}

func (e *native) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	share := (n + e.threads - 1) / e.threads
	for from := share; from < n; from += share {
		wg.Go(func() { e.forward(features, pixels, from, min(share, n-from)) })
	}
	e.forward(features, pixels, 0, min(share, n))
	wg.Wait()
	return nil
}

// forward computes n images from the given one on.
func (e *native) forward(features []float32, pixels []uint8, from, n int) {
	ws := e.arenas.get()
	defer e.arenas.put(ws)
	e.net.Forward(ws, features[from*Dim:(from+n)*Dim], pixels[from*PixelBytes:(from+n)*PixelBytes], n)
}

func (e *native) Close() error { return nil }

// nativeSingle is the CPU engine that shares each image among all its threads.
type nativeSingle struct {
	mu  sync.Mutex
	net *resnet.Single
}

var _ Engine = (*nativeSingle)(nil)

func nativeSingleSpec(o Options) EngineSpec {
	return EngineSpec{Name: Native, Numerics: []string{"fp32"}, Open: func(_ context.Context, b Backbone) (Engine, EngineInfo, error) {
		net, err := resnet.New(b.Tensor, resnet.Options{LUT: b.LUT, ISA: o.ISA, Plan: resnet.Compact})
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
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.net.Forward(features[i*Dim:(i+1)*Dim], pixels[i*PixelBytes:(i+1)*PixelBytes])
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
