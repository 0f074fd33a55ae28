//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"icebox/extract"
	"icebox/extract/internal/resnet"
)

func TestFeaturesEqualTheReference(t *testing.T) {
	slow(t)
	s := useStandin(t)
	pixels := images(2)
	var want [2][]float32
	for i := range want {
		want[i] = resnet.Reference(weights(), lut(), pixels[i*extract.PixelBytes:])
	}
	for _, c := range []struct {
		numeric    string
		least      float64 // 1 - cosine
		math, data int64
	}{
		{"fp32", 1e-10, 1 << fmaMath, 1 << dataFloat},
		{"tf32", 1e-10, 1 << defaultMath, 1 << dataFloat}, // the stand-in has floats alone
		{"fp16", 1e-5, 1 << tensorOpMath, 1 << dataHalf},
	} {
		t.Run(c.numeric, func(t *testing.T) {
			s.set("math", 0)
			s.set("data", 0)
			e, info := s.open(t, 2, c.numeric)
			defer mustClose(t, e)
			rows := forward(t, e, pixels)
			for i, w := range want {
				if got := distance(rows[i*extract.Dim:][:extract.Dim], w); !(got <= c.least) {
					t.Errorf("image %d: 1-cosine is %.3g, allowed are %.3g", i, got, c.least)
				}
			}
			if s.get("math") != c.math || s.get("data") != c.data {
				t.Errorf("math types %b, data types %b; want %b and %b", s.get("math"), s.get("data"), c.math, c.data)
			}
			if info.Numeric != c.numeric || info.Name != "cuda" || info.ISA != "Stand-in 0" || info.Driver != "CUDA 13.2, cuDNN 9.26.0" {
				t.Errorf("%+v", info)
			}
			algos, ok := strings.CutPrefix(info.Plan, "nhwc-2-")
			if !ok || len(algos) != 20 || strings.Trim(algos, "016") != "" {
				t.Errorf("plan %q does not name the 20 convolutions' algorithms", info.Plan)
			}
		})
	}
}

// slow skips a test that would take minutes under the race detector, and in which
// it has nothing to find.
func slow(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
}

// distance is 1 - cosine, 2 where there is none.
func distance(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 2
	}
	return 1 - ab/math.Sqrt(aa*bb)
}

func TestAFeatureDependsOnItsImageAlone(t *testing.T) {
	s := useStandin(t)
	e, _ := s.open(t, 2, "fp32")
	defer mustClose(t, e)
	const n = 7
	pixels := images(n)
	want := forward(t, e, pixels) // batches of 2 from one call
	for i := 1; i < n; i++ {
		if slices.Equal(want[:extract.Dim], want[i*extract.Dim:][:extract.Dim]) {
			t.Fatalf("images 0 and %d have the same feature", i)
		}
	}
	var wg sync.WaitGroup
	for _, part := range [][2]int{{0, 1}, {1, 4}, {4, 5}, {5, 7}} { // and from many
		wg.Go(func() {
			from, to := part[0], part[1]
			rows := make([]float32, (to-from)*extract.Dim)
			if err := e.Forward(context.Background(), rows, pixels[from*extract.PixelBytes:to*extract.PixelBytes], to-from); err != nil {
				t.Error(err)
			}
			if !slices.Equal(rows, want[from*extract.Dim:to*extract.Dim]) {
				t.Errorf("images %d to %d have other features in other company", from, to)
			}
		})
	}
	wg.Wait()
}

// If the place in the batch changes a feature, the plan falls back to the plainest
// algorithm, or the engine does not open.
func TestPlacesAreChecked(t *testing.T) {
	s := useStandin(t)
	s.set("placebug", 1)
	e, info := s.open(t, 2, "fp32")
	defer mustClose(t, e)
	if want := "nhwc-2-" + strings.Repeat("1", 20); info.Plan != want {
		t.Errorf("plan %s, want %s", info.Plan, want)
	}
}

func TestSeveralDevicesShareTheWork(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	s.set("gpus", 3)
	e, info := s.open(t, 1, "fp32")
	if len(e.devices) != 3 || info.ISA != "Stand-in 0 + Stand-in 1" || e.devices[0].net.text() != e.devices[1].net.text() {
		t.Errorf("%d devices, %+v", len(e.devices), info)
	}
	for i, want := range []*device{e.devices[0], e.devices[1], e.devices[2]} {
		if got, err := e.idlest(context.Background()); got != want || err != nil {
			t.Errorf("image %d goes to cuda:%d, %v", i, got.ordinal, err)
		}
		want.queue.waiting++
	}
	for _, d := range e.devices {
		d.queue.waiting--
	}
	forward(t, e, images(5))
	mustClose(t, e)

	e, _ = s.open(t, 1, "fp32", 0, 2)
	if len(e.devices) != 2 || e.devices[1].ordinal != 2 {
		t.Errorf("cuda:0,2 opened %d devices", len(e.devices))
	}
	mustClose(t, e)
	_, _, err := open(s.options(1), backbone("fp32", 0, 5))
	says(t, err, "cuda:5", "3 GPUs")
	if !errors.Is(err, ErrNoSuchGPU) {
		t.Error(err)
	}
}

// When a call of the libraries fails, the error names it, and nothing is left behind.
func TestEveryCallMayFail(t *testing.T) {
	slow(t)
	s := useStandin(t)
	s.set("dry", 1)
	quiet := map[string]bool{"cudnnGetVersion": true, "cudnnGetCudartVersion": true, "cudnnGetErrorString": true, "cudnnGetLastErrorString": true, "cuGetErrorName": true, "cuGetErrorString": true, "cuDriverGetVersion": true}
	all := append((&driver{}).bindings(), (&cudnn{}).bindings()...)
	for i := range 2 * len(all) {
		b, n := all[i/2], int64(1+i%2*8)
		release := strings.Contains(b.symbol, "Destroy") || strings.Contains(b.symbol, "Free") || strings.Contains(b.symbol, "Release") || strings.Contains(b.symbol, "Unload")
		if quiet[b.symbol] || release {
			continue
		}
		s.reset()
		s.set("dry", 1)
		s.fail(b.symbol, n, 719)
		e, _, err := open(s.options(2), backbone("fp32"))
		if err == nil && n > 1 { // it is not called that often
			e.Close()
			continue
		}
		if name := strings.TrimSuffix(b.symbol, "_v2"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s fails at call %d, and the error is: %v", b.symbol, n, err)
		}
	}
}

func TestAFailureMidRunIsToldAndLasts(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	e, _ := s.open(t, 2, "fp16")
	forward(t, e, images(3))
	s.fail("cudnnConvolutionBiasActivationForward", 5, 5000)
	rows := make([]float32, 3*extract.Dim)
	err := e.Forward(context.Background(), rows, images(3), 3)
	says(t, err, "Stand-in 0 (cuda:0)", "layer1.1.conv2", "64×56×56", "batch 2", "fp16", "CUDNN_STATUS_EXECUTION_FAILED", "the stand-in was asked to fail")
	s.fail("", 0, 0)
	says(t, e.Forward(context.Background(), rows, images(3), 3), "CUDNN_STATUS_EXECUTION_FAILED")
	mustClose(t, e)
}

// When a device is lost, every caller that waits gets the error.
func TestALostDeviceEndsEveryCall(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	e, _ := s.open(t, 2, "fp32")
	s.fail("cuEventSynchronize", 2, 719)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			for errs[i] == nil {
				errs[i] = e.Forward(context.Background(), make([]float32, extract.Dim), images(1), 1)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		says(t, err, "cuEventSynchronize", "unspecified launch failure")
	}
	s.fail("", 0, 0)
	mustClose(t, e)
}

func TestACancelledCallReturns(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	e, _ := s.open(t, 2, "fp32")
	defer mustClose(t, e)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Forward(ctx, make([]float32, extract.Dim), images(1), 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPlansAreRememberedAndRepeated(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	e, first := s.open(t, 2, "fp32")
	mustClose(t, e)
	calls := s.get("fused")
	e, second := s.open(t, 2, "fp32")
	mustClose(t, e)
	if again := s.get("fused") - calls; first.Plan != second.Plan || again != 2*17 {
		t.Errorf("plans %s and %s; %d convolutions the second time, want the two batches' 34", first.Plan, second.Plan, again)
	}
}

// A plan that another process has measured is used if it can be; else it is measured
// again and kept.
func TestPlansAreKeptForOtherProcesses(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	kept := memo{}
	open := func() (plan string, calls int64) {
		plans.Lock()
		plans.of = nil // as in another process
		plans.Unlock()
		before := s.get("fused")
		b := backbone("fp32")
		b.Memo = kept
		e, info, err := open(s.options(2), b)
		if err != nil {
			t.Fatal(err)
		}
		mustClose(t, e.(*engine))
		return info.Plan, s.get("fused") - before
	}
	plan, measured := open()
	if len(kept) != 1 {
		t.Fatalf("kept %v", kept)
	}
	var key string
	for k, v := range kept {
		if key = k; v != plan {
			t.Errorf("kept %q of plan %q", v, plan)
		}
	}
	again, calls := open()
	if again != plan || calls >= measured {
		t.Errorf("plan %s, then %s; %d convolutions, then %d", plan, again, measured, calls)
	}
	for _, bad := range []string{"", "nhwc-4" + plan[6:], plan[:len(plan)-1], plan + "1", plan[:len(plan)-1] + "9", plan[:len(plan)-1] + "/"} {
		kept[key] = bad
		if anew, calls := open(); calls != measured || kept[key] != anew {
			t.Errorf("with %q kept: plan %s, %d convolutions instead of %d; kept %q", bad, anew, calls, measured, kept[key])
		}
	}
}

// Programs use the engine through extract: the gate passes, and rows have the numeric
// class that was asked for.
func TestThroughExtract(t *testing.T) {
	slow(t)
	s := useStandin(t)
	ids := map[string]bool{}
	for _, precision := range []string{"fp32", "fp16"} {
		x, err := extract.Open(context.Background(), extract.Options{Weights: "random:3", Precision: precision, Engines: []extract.EngineSpec{Spec(s.options(1))}, Env: func(string) string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		ids[x.Fingerprint().ID("float32")] = true
		v, err := x.Gate(context.Background())
		if err != nil || !strings.Contains(v.Key, "/cuda/Stand-in 0/nhwc-1-") || !strings.HasSuffix(v.Key, "/"+precision) {
			t.Errorf("%+v, %v", v, err)
		}
		if got := x.Skipped(); got != nil {
			t.Errorf("skipped %v", got)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(ids) != 2 {
		t.Error("fp32 and fp16 rows share a space")
	}
}
