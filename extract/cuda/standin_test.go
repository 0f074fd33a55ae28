//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ebitengine/purego"

	"icebox/extract"
)

// standin is the library of testdata/standin.c, loaded.
type standin struct {
	dir    string // to name in ICEBOX_CUDA_PATH
	set    func(name string, value int64)
	get    func(name string) int64
	fail   func(call string, n, status int64)
	misuse func() string
	live   func() int64
}

// buildStandin compiles the library once a test run.
var buildStandin = sync.OnceValues(func() (*standin, error) {
	dir, err := os.MkdirTemp("", "icebox-standin-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "libstandin.so")
	out, err := exec.Command("cc", "-O3", "-march=native", "-shared", "-fPIC", "-I.", "-o", file, "testdata/standin.c", "-lpthread").CombinedOutput()
	if err != nil {
		return nil, &buildError{string(out), err}
	}
	for _, name := range []string{driverSoname, cudnnSoname} {
		if err := os.Symlink(file, filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	lib, err := purego.Dlopen(file, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, err
	}
	s := &standin{dir: dir}
	purego.RegisterLibFunc(&s.set, lib, "standin_set")
	purego.RegisterLibFunc(&s.get, lib, "standin_get")
	purego.RegisterLibFunc(&s.fail, lib, "standin_fail")
	purego.RegisterLibFunc(&s.misuse, lib, "standin_misuse")
	purego.RegisterLibFunc(&s.live, lib, "standin_live")
	planRounds, planRepeats = 1, 1
	return s, nil
})

type buildError struct {
	output string
	cause  error
}

func (e *buildError) Error() string { return e.cause.Error() + ": " + e.output }

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := buildStandin(); err == nil {
		os.RemoveAll(s.dir)
	}
	os.Exit(code)
}

// useStandin gives a test the library in its first state, and finds at its end that
// nothing is left alive and nothing was misused.
func useStandin(t *testing.T) *standin {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler (cc) to build the stand-in library with")
	}
	s, err := buildStandin()
	if err != nil {
		t.Fatal(err)
	}
	s.reset()
	t.Cleanup(func() {
		s.reset()
		if n := s.live(); n != 0 {
			t.Errorf("%d handles or blocks of memory are left alive", n)
		}
		if m := s.misuse(); m != "" {
			t.Errorf("misuse: %s", m)
		}
	})
	return s
}

func (s *standin) reset() {
	for name, value := range map[string]int64{"gpus": 1, "memory": 1 << 34, "version": 92600, "cudart": 13020, "dry": 0, "placebug": 0, "taken": 0, "wrong": -1, "failtimes": 0, "failgpu": -1, "refused": 0, "math": 0, "data": 0, "fused": 0, "plain": 0} {
		s.set(name, value)
	}
	s.fail("", 0, 0)
	plans.Lock()
	plans.of = nil
	plans.Unlock()
}

func (s *standin) options(batch int) Options {
	return Options{Batch: batch, Env: func(name string) string {
		if name == PathVariable {
			return s.dir
		}
		return ""
	}}
}

// open opens the engine of this package; a test closes it.
func (s *standin) open(t *testing.T, batch int, numeric string, ids ...int) (*engine, extract.EngineInfo) {
	t.Helper()
	e, info, err := open(s.options(batch), backbone(numeric, ids...))
	if err != nil {
		t.Fatal(err)
	}
	return e.(*engine), info
}

func backbone(numeric string, ids ...int) extract.Backbone {
	return extract.Backbone{Tensor: weights(), LUT: lut(), Device: extract.Device{IDs: ids}, Numeric: numeric, Note: func(string) {}, Memo: memo{}}
}

// lut normalises as ImageNet's numbers do, more or less.
func lut() *[3][256]float32 {
	var t [3][256]float32
	for c := range t {
		for v := range t[c] {
			t[c][v] = (float32(v)/255 - 0.45 - 0.02*float32(c)) / 0.225
		}
	}
	return &t
}

// noise is a linear congruence in [-1, 1).
type noise uint32

func (n *noise) next() float32 {
	*n = *n*1664525 + 1013904223
	return float32(int32(*n)>>8) / (1 << 23)
}

// weights makes a network whose batch norms are far from the identity.
var weights = sync.OnceValue(func() func(string) []float32 {
	tensors := map[string][]float32{}
	seed := noise(7)
	fill := func(name string, n int, value func(u float32) float32) {
		t := make([]float32, n)
		for i := range t {
			t[i] = value(seed.next())
		}
		tensors[name] = t
	}
	layer := func(conv, norm string, in, out, taps int, gain float32) {
		bound := float32(math.Sqrt(6 / float64(in*taps*taps)))
		fill(conv+".weight", out*in*taps*taps, func(u float32) float32 { return u * bound })
		fill(norm+".weight", out, func(u float32) float32 { return gain * (1 + 0.5*u) })
		fill(norm+".bias", out, func(u float32) float32 { return 0.25 * u })
		fill(norm+".running_mean", out, func(u float32) float32 { return 0.25 * u })
		fill(norm+".running_var", out, func(u float32) float32 { return 1 + 0.5*u })
	}
	layer("conv1", "bn1", 3, 64, 7, 1)
	in := 64
	for stage, out := range []int{64, 128, 256, 512} {
		for block := range 2 {
			name := "layer" + string(rune('1'+stage)) + "." + string(rune('0'+block))
			layer(name+".conv1", name+".bn1", in, out, 3, 1)
			layer(name+".conv2", name+".bn2", out, out, 3, 0.5)
			if in != out {
				layer(name+".downsample.0", name+".downsample.1", in, out, 1, 1)
			}
			in = out
		}
	}
	return func(name string) []float32 { return tensors[name] }
})

// images are n different pictures: slopes with noise.
func images(n int) []uint8 {
	seed := noise(11)
	pixels := make([]uint8, n*extract.PixelBytes)
	for i := range pixels {
		image, at := i/extract.PixelBytes, i%extract.PixelBytes
		y, x, c := at/3/extract.Side, at/3%extract.Side, at%3
		pixels[i] = uint8((x*(c+1+image) + y*(3-c) + int(64*(1+seed.next()))) / 4)
	}
	return pixels
}

func forward(t *testing.T, e *engine, pixels []uint8) []float32 {
	t.Helper()
	n := len(pixels) / extract.PixelBytes
	rows := make([]float32, n*extract.Dim)
	if err := e.Forward(context.Background(), rows, pixels, n); err != nil {
		t.Fatal(err)
	}
	return rows
}

func mustClose(t *testing.T, e *engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// says fails unless err has every word.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in the error: %v", w, err)
		}
	}
}

// memo is a Memo in memory, of one process.
type memo map[string]string

func (m memo) Recall(key string) (string, bool) { v, ok := m[key]; return v, ok }
func (m memo) Keep(key, value string)           { m[key] = value }
