//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/ebitengine/purego"

	"icebox/extract"
	"icebox/extract/internal/resnet"
)

// needGPU skips a test where there is no GPU with cuDNN, unless ICEBOX_REQUIRE_GPU
// says that there must be one.
func needGPU(t testing.TB) {
	t.Helper()
	if _, err := loadLibraries(os.Getenv); err != nil {
		if os.Getenv("ICEBOX_REQUIRE_GPU") == "1" {
			t.Fatalf("ICEBOX_REQUIRE_GPU=1, and: %v", err)
		}
		t.Skipf("no GPU to run on: %v", err)
	}
}

func TestGPUAgreesWithTheReference(t *testing.T) {
	needGPU(t)
	pixels := images(3)
	for numeric, least := range map[string]float64{"fp32": 0.99999, "tf32": 0.9999, "fp16": 0.999} {
		t.Run(numeric, func(t *testing.T) {
			opened, info, err := open(Options{}, backbone(numeric))
			if err != nil {
				t.Fatal(err)
			}
			e := opened.(*engine)
			defer mustClose(t, e)
			t.Logf("%+v", info)
			rows := forward(t, e, pixels)
			for i := range 3 {
				want := resnet.Reference(weights(), lut(), pixels[i*extract.PixelBytes:])
				if d := distance(rows[i*extract.Dim:][:extract.Dim], want); !(1-d >= least) {
					t.Errorf("image %d: cosine %.7f, want %v", i, 1-d, least)
				}
			}
		})
	}
}

func TestGPURowsDoNotDependOnTheirBatch(t *testing.T) {
	needGPU(t)
	for _, numeric := range []string{"fp32", "tf32", "fp16"} {
		opened, _, err := open(Options{}, backbone(numeric))
		if err != nil {
			t.Fatal(err)
		}
		e := opened.(*engine)
		n := 2*e.devices[0].batch + 3
		pixels := images(n)
		want := forward(t, e, pixels)
		var wg sync.WaitGroup
		for from := 0; from < n; from += 7 {
			wg.Go(func() {
				to := min(from+7, n)
				rows := make([]float32, (to-from)*extract.Dim)
				if err := e.Forward(context.Background(), rows, pixels[from*extract.PixelBytes:to*extract.PixelBytes], to-from); err != nil {
					t.Error(err)
				}
				if !slices.Equal(rows, want[from*extract.Dim:to*extract.Dim]) {
					t.Errorf("%s: images %d to %d have other features in other company", numeric, from, to)
				}
			})
		}
		wg.Wait()
		mustClose(t, e)
	}
}

// Beside a program that leaves little memory, the batch is smaller and the features stay
// the same within the class.
func TestGPUGoesOnWithLittleMemory(t *testing.T) {
	needGPU(t)
	pixels := images(3)
	opened, _, err := open(Options{}, backbone("fp32", 0))
	if err != nil {
		t.Fatal(err)
	}
	want := forward(t, opened.(*engine), pixels)
	mustClose(t, opened.(*engine))
	release := hog(t, 600<<20)
	opened, info, err := open(Options{}, backbone("fp32", 0))
	if err != nil {
		t.Fatal(err)
	}
	e := opened.(*engine)
	if e.devices[0].batch >= defaultBatch {
		t.Errorf("600 MiB are free, and the batch is %d", e.devices[0].batch)
	}
	t.Logf("%+v", info)
	rows := forward(t, e, pixels)
	for i := range 3 {
		if c := cosine(rows[i*extract.Dim:][:extract.Dim], want[i*extract.Dim:][:extract.Dim]); !(c >= 0.99999) {
			t.Errorf("image %d: cosine %.7f", i, c)
		}
	}
	mustClose(t, e)
	release()
}

// hog takes all of the first GPU's memory but so many bytes.
func hog(t *testing.T, leave uintptr) (release func()) {
	lib, err := loadLibraries(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	own := &owned{driver: lib.driver}
	taken, done, gone := make(chan error), make(chan struct{}), make(chan error)
	go func() {
		runtime.LockOSThread()
		var ctx cuContext
		var free, total uintptr
		g, err := lib.driver.gpu(0)
		if err == nil {
			err = lib.driver.check("cuDevicePrimaryCtxRetain", lib.driver.primaryCtxRetain(&ctx, g.device))
		}
		if err == nil {
			own.add(func() error {
				return lib.driver.check("cuDevicePrimaryCtxRelease", lib.driver.primaryCtxRelease(g.device))
			})
			err = lib.driver.check("cuCtxSetCurrent", lib.driver.ctxSetCurrent(ctx))
		}
		if err == nil {
			err = lib.driver.check("cuMemGetInfo", lib.driver.memGetInfo(&free, &total))
		}
		if err == nil && free > leave {
			_, err = own.memory(free - leave)
		}
		taken <- err
		<-done
		gone <- own.close()
	}()
	if err := <-taken; err != nil {
		t.Error(err)
	}
	return func() {
		close(done)
		if err := <-gone; err != nil {
			t.Error(err)
		}
	}
}

// The real cuDNN takes our descriptors and derives from them the shapes that we do:
// for that, it needs no GPU.
func TestRealCudnnDerivesOurShapes(t *testing.T) {
	c, err := loadCudnn(os.Getenv, 0)
	if err != nil {
		t.Skipf("no cuDNN: %v", err)
	}
	lib, err := purego.Dlopen(c.path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		t.Fatal(err)
	}
	var convDim func(c convDesc, x tensorDesc, w filterDesc, n, ch, h, wd *int32) cudnnStatus
	var poolDim func(p poolDesc, x tensorDesc, n, ch, h, w *int32) cudnnStatus
	purego.RegisterLibFunc(&convDim, lib, "cudnnGetConvolution2dForwardOutputDim")
	purego.RegisterLibFunc(&poolDim, lib, "cudnnGetPooling2dForwardOutputDim")
	layers, err := resnet.Fold(weights())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("cuDNN %s for CUDA %d at %s", c.version(), c.cudaMajor(), c.path)
	if c.getCudartVersion()%1000 > 200 {
		t.Errorf("the CUDA runtime's version is %d", c.getCudartVersion())
	}
	for _, p := range precisions {
		own := &owned{}
		n := &net{libraries: &libraries{cudnn: c}, own: own, p: p, batch: 5}
		n.table(layers)
		b := &builder{net: n}
		b.relu()
		b.pool(&n.maxPool, poolingMax, 3, 1, 2)
		b.pool(&n.average, poolingAverageInclude, n.average.in.side, 0, 1)
		for _, k := range n.convs {
			b.describe(k)
			var got [4]int32
			if err := c.check("cudnnGetConvolution2dForwardOutputDim", convDim(k.convDesc, k.xDesc, k.wDesc, &got[0], &got[1], &got[2], &got[3])); err != nil {
				t.Fatalf("%v: %v", k, err)
			}
			if want := [4]int32{5, int32(k.out.channels), int32(k.out.side), int32(k.out.side)}; got != want {
				t.Errorf("%v: cuDNN says %v", k, got)
			}
		}
		for _, q := range []*pool{&n.maxPool, &n.average} {
			var got [4]int32
			if err := c.check("cudnnGetPooling2dForwardOutputDim", poolDim(q.desc, q.xDesc, &got[0], &got[1], &got[2], &got[3])); err != nil {
				t.Fatal(err)
			}
			if want := [4]int32{5, int32(q.out.channels), int32(q.out.side), int32(q.out.side)}; got != want {
				t.Errorf("%s: cuDNN says %v", q.name, got)
			}
		}
		if b.err != nil {
			t.Error(b.err)
		}
		if err := own.close(); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkGPUForward(b *testing.B) {
	needGPU(b)
	for _, numeric := range []string{"fp32", "tf32", "fp16"} {
		for _, batch := range []int{1, 8, 32, 128, 512} {
			b.Run(fmt.Sprintf("%s/batch=%d", numeric, batch), func(b *testing.B) {
				e, _, err := open(Options{Batch: batch}, backbone(numeric))
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				pixels := images(batch)
				b.SetParallelism(max(1, (2*lanes+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0)))
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					rows := make([]float32, batch*extract.Dim)
					for pb.Next() {
						if err := e.Forward(context.Background(), rows, pixels, batch); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}
