//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"icebox/extract"
	"icebox/extract/internal/resnet"
)

const mib = 1 << 20

// The batch is halved until half of the free memory holds it. No memory is asked for in
// vain.
func TestBatchIsChosenByFreeMemory(t *testing.T) {
	s := useStandin(t)
	for _, c := range []struct {
		numeric           string
		memory, most, now int64
	}{
		{"fp32", 16 << 10 * mib, 32, 32}, {"fp32", 350 * mib, 32, 16}, {"fp32", 350 * mib, 50, 25}, {"fp32", 200 * mib, 32, 8}, {"fp32", 100 * mib, 32, 1},
		{"fp16", 350 * mib, 32, 32}, {"fp16", 100 * mib, 32, 8},
	} {
		s.reset()
		s.set("dry", 1)
		s.set("memory", c.memory)
		e, info := s.open(t, int(c.most), c.numeric)
		if got := s.get("batch"); got != c.now || int(got) != e.devices[0].batch || !strings.HasPrefix(info.Plan, fmt.Sprintf("nhwc-%d-", c.now)) {
			t.Errorf("%s, %d MiB, at most %d: batch %d, want %d; plan %s", c.numeric, c.memory/mib, c.most, got, c.now, info.Plan)
		}
		if n := s.get("refused"); n != 0 {
			t.Errorf("%s, %d MiB: %d allocations were refused", c.numeric, c.memory/mib, n)
		}
		forward(t, e, images(1))
		mustClose(t, e)
	}
}

// measure gives the memory that the network takes, workspace apart, to the byte.
func TestAFootprintIsWhatIsTaken(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	layers, err := resnet.Fold(weights())
	if err != nil {
		t.Fatal(err)
	}
	for numeric, p := range precisions {
		for _, batch := range []int{1, 4} {
			e, _ := s.open(t, batch, numeric)
			d := e.devices[0]
			if want := int64(measure(layers, p).of(batch) + d.net.spaceBytes); s.get("used") != want {
				t.Errorf("%s, batch %d: %d bytes are taken, measured were %d", numeric, batch, s.get("used"), want)
			}
			mustClose(t, e)
		}
	}
}

// If memory that looked free is not, the batch is halved.
func TestBatchIsHalvedUntilItFits(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	s.set("memory", 1<<30)
	s.set("taken", 1<<30-200*mib)
	e, info := s.open(t, 64, "fp32")
	if !strings.HasPrefix(info.Plan, "nhwc-16-") || s.get("refused") == 0 {
		t.Errorf("plan %s, %d allocations refused", info.Plan, s.get("refused"))
	}
	forward(t, e, images(1))
	mustClose(t, e)
	s.set("taken", 1<<30-10*mib)
	_, _, err := open(s.options(64), backbone("fp32"))
	says(t, err, "cuMemAlloc of", "CUDA_ERROR_OUT_OF_MEMORY", "out of memory")
	if !errors.Is(err, ErrNoneOpens) {
		t.Error(err)
	}
}

// noted is an engine that keeps what it notes, and several goroutines' calls on it.
type noted struct {
	*engine
	mu    sync.Mutex
	notes []string
}

func (s *standin) openNoted(t *testing.T, batch int, numeric string, ids ...int) *noted {
	t.Helper()
	n := &noted{}
	b := backbone(numeric, ids...)
	b.Note = func(text string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.notes = append(n.notes, text)
	}
	e, _, err := open(s.options(batch), b)
	if err != nil {
		t.Fatal(err)
	}
	n.engine = e.(*engine)
	return n
}

// each computes the images in calls of k, from as many goroutines as there are calls.
func (n *noted) each(pixels []uint8, k int) ([]float32, error) {
	total := len(pixels) / extract.PixelBytes
	rows := make([]float32, total*extract.Dim)
	errs := make([]error, total)
	var wg sync.WaitGroup
	for from := 0; from < total; from += k {
		wg.Go(func() {
			to := min(from+k, total)
			errs[from] = n.Forward(context.Background(), rows[from*extract.Dim:to*extract.Dim], pixels[from*extract.PixelBytes:to*extract.PixelBytes], to-from)
		})
	}
	wg.Wait()
	return rows, errors.Join(errs...)
}

// until computes the images again and again, in calls of k, until there is a note: it is
// not known beforehand which device gets how many.
func (n *noted) until(t *testing.T, pixels []uint8, k int, want []float32) {
	t.Helper()
	for range 100 {
		rows, err := n.each(pixels, k)
		if err != nil || !slices.Equal(rows, want) {
			t.Errorf("%v; rows as wanted: %v", err, slices.Equal(rows, want))
			return
		}
		if len(n.notes) > 0 {
			return
		}
	}
}

// oneNote fails unless there is one note, with these words.
func (n *noted) oneNote(t *testing.T, words ...string) {
	t.Helper()
	if len(n.notes) != 1 {
		t.Errorf("%d notes: %q", len(n.notes), n.notes)
	}
	says(t, errors.New(strings.Join(n.notes, "\n")), words...)
}

// wantRows are what an undisturbed device computes.
func wantRows(t *testing.T, s *standin, pixels []uint8) []float32 {
	t.Helper()
	s.set("dry", 2) // a feature depends on its image, and costs little
	e, _ := s.open(t, 4, "fp32")
	defer mustClose(t, e)
	rows := forward(t, e, pixels)
	seen := map[float32]bool{}
	for i := 0; i < len(rows); i += extract.Dim {
		seen[rows[i]] = true
	}
	if n := len(rows) / extract.Dim; len(seen) < n {
		t.Fatalf("%d images have %d features", n, len(seen))
	}
	return rows
}

// Out of memory in the middle of a run: the batch is halved, every image gets its
// feature, and the plan says what computed it. The calls are cuDNN's and the driver's,
// and the failure comes at the first, and at a later one.
func TestOutOfMemoryMidRunHalvesTheBatch(t *testing.T) {
	s := useStandin(t)
	pixels := images(9)
	want := wantRows(t, s, pixels)
	for _, c := range []struct {
		call   string
		n      int64
		status int64
	}{
		{"cudnnConvolutionBiasActivationForward", 1, int64(statusDeviceAllocation)}, {"cudnnConvolutionBiasActivationForward", 25, int64(statusHostAllocation)},
		{"cudnnConvolutionForward", 4, int64(statusDeviceAllocation)}, {"cudnnPoolingForward", 3, int64(statusDeviceAllocation)},
		{"cuLaunchKernel", 2, int64(cuErrorOutOfMemory)}, {"cuMemcpyHtoDAsync_v2", 1, int64(cuErrorOutOfMemory)}, {"cuEventSynchronize", 2, int64(cuErrorOutOfMemory)},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.call, c.n), func(t *testing.T) {
			e := s.openNoted(t, 4, "fp32")
			before := e.Info()
			s.set("failtimes", 1)
			s.fail(c.call, c.n, c.status)
			rows, err := e.each(pixels, 2)
			if err != nil || !slices.Equal(rows, want) {
				t.Errorf("%v; rows as wanted: %v", err, slices.Equal(rows, want))
			}
			if info := e.Info(); !strings.HasPrefix(before.Plan, "nhwc-4-") || !strings.HasPrefix(info.Plan, "nhwc-2-") || s.get("batch") != 2 {
				t.Errorf("plan %s, then %s", before.Plan, info.Plan)
			}
			e.oneNote(t, "batches of 2 instead of 4", "Stand-in 0 (cuda:0)", strings.TrimSuffix(c.call, "_v2"))
			mustClose(t, e.engine)
		})
	}
}

// Which failures a smaller batch may cure.
func TestOutOfMemoryIsKnownByItsNumberOrItsWords(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&driverError{result: cuErrorOutOfMemory}, true}, {&driverError{result: 719}, false}, {errNoSpace, true}, {errors.New("out of memory"), false},
		{&cudnnError{status: statusHostAllocation}, true}, {&cudnnError{status: statusDeviceAllocation}, true}, {&cudnnError{status: 5000}, false},
		{&cudnnError{status: 5003, text: "cudaMalloc: out of memory"}, true}, {&cudnnError{status: 5001, text: "CUDA_ERROR_OUT_OF_MEMORY"}, true},
		{fmt.Errorf("conv1: %w", &cudnnError{status: statusDeviceAllocation}), true}, {nil, false},
	} {
		if got := outOfMemory(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// A device that runs out of memory with a batch of one has failed.
func TestOutOfMemoryForGood(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	e := s.openNoted(t, 4, "fp32")
	s.fail("cuLaunchKernel", 1, int64(cuErrorOutOfMemory))
	_, err := e.each(images(3), 1)
	says(t, err, "cuLaunchKernel", "CUDA_ERROR_OUT_OF_MEMORY")
	s.fail("", 0, 0)
	_, err = e.each(images(1), 1)
	says(t, err, "CUDA_ERROR_OUT_OF_MEMORY")
	mustClose(t, e.engine)
}

// One GPU of three fails, in any call: the others compute its images, no feature is
// lost, and one note says so.
func TestALostDeviceOfSeveralIsLeftOut(t *testing.T) {
	s := useStandin(t)
	pixels := images(12)
	want := wantRows(t, s, pixels)
	s.set("gpus", 3)
	for _, c := range []struct {
		call      string
		n, status int64
	}{
		{"cuEventSynchronize", 1, 719}, {"cuEventSynchronize", 2, 719}, {"cuLaunchKernel", 1, 719}, {"cuMemcpyHtoDAsync_v2", 2, 719},
		{"cudnnConvolutionBiasActivationForward", 20, 5000}, {"cuMemcpyDtoHAsync_v2", 1, 719},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.call, c.n), func(t *testing.T) {
			e := s.openNoted(t, 2, "fp32")
			s.set("failgpu", 1)
			s.fail(c.call, c.n, c.status)
			e.until(t, pixels, 3, want)
			e.oneNote(t, "its images go to cuda:0, cuda:2", "Stand-in 0 (cuda:1)", strings.TrimSuffix(c.call, "_v2"))
			if _, err := e.each(pixels, 12); err != nil || len(e.notes) != 1 {
				t.Errorf("%v; notes %q", err, e.notes)
			}
			mustClose(t, e.engine)
			s.fail("", 0, 0)
			s.set("failgpu", -1)
		})
	}
}

// The GPUs fail one after another: the run ends with the error of the last one.
func TestAllDevicesLost(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	s.set("gpus", 2)
	e := s.openNoted(t, 1, "fp32")
	s.fail("cuEventSynchronize", 3, 719)
	_, err := e.each(images(8), 1)
	says(t, err, "cuEventSynchronize", "unspecified launch failure")
	e.oneNote(t, "its images go to cuda:")
	says(t, e.Forward(context.Background(), make([]float32, extract.Dim), images(1), 1), "unspecified launch failure")
	s.fail("", 0, 0)
	mustClose(t, e.engine)
}

// If the memory of one of several GPUs runs short, it goes on with a smaller batch, and
// the others stay as they are.
func TestOneOfSeveralRunsOutOfMemory(t *testing.T) {
	s := useStandin(t)
	pixels := images(8)
	want := wantRows(t, s, pixels)
	s.set("gpus", 2)
	e := s.openNoted(t, 4, "fp32")
	s.set("failgpu", 1)
	s.set("failtimes", 1)
	s.fail("cuLaunchKernel", 1, int64(cuErrorOutOfMemory))
	e.until(t, pixels, 1, want)
	e.oneNote(t, "batches of 2 instead of 4", "(cuda:1)")
	if e.devices[0].batch != 4 || e.devices[1].batch != 2 || !strings.Contains(e.Info().Plan, "+nhwc-2-") {
		t.Errorf("batches %d and %d, plan %s", e.devices[0].batch, e.devices[1].batch, e.Info().Plan)
	}
	mustClose(t, e.engine)
}

// A GPU that does not open, or computes other numbers than the first, is not used.
func TestADeviceThatCannotHelpIsLeftOut(t *testing.T) {
	s := useStandin(t)
	s.set("dry", 1)
	s.set("gpus", 2)
	s.set("failgpu", 1)
	s.fail("cudnnCreate", 1, 1001)
	e := s.openNoted(t, 1, "fp32")
	e.oneNote(t, "the images go to cuda:0", "Stand-in 0 (cuda:1): cudnnCreate")
	if _, err := e.each(images(3), 1); err != nil || len(e.devices) != 1 {
		t.Errorf("%d devices, %v", len(e.devices), err)
	}
	mustClose(t, e.engine)

	s.reset()
	s.set("dry", 1)
	s.set("gpus", 2)
	s.set("wrong", 1)
	e = s.openNoted(t, 1, "fp32")
	e.oneNote(t, "the images go to cuda:0", "Stand-in 0 (cuda:1)", "cosine")
	mustClose(t, e.engine)
	s.set("failgpu", -1)
	s.fail("cudnnCreate", 1, 1001)
	_, _, err := open(s.options(1), backbone("fp32"))
	says(t, err, "(cuda:0): cudnnCreate", "(cuda:1): cudnnCreate")
	if !errors.Is(err, ErrNoneOpens) {
		t.Error(err)
	}
}
