package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"icebox/extract"
)

// lostDevice computes ones, until it is lost.
type lostDevice struct{ left atomic.Int64 }

var errLost = errors.New("cuEventSynchronize of a batch: CUDA_ERROR_LAUNCH_FAILED")

func (d *lostDevice) Forward(_ context.Context, features []float32, _ []uint8, n int) error {
	if d.left.Add(-int64(n)) < 0 {
		return errLost
	}
	for i := range features[:n*extract.Dim] {
		features[i] = 1
	}
	return nil
}

func (*lostDevice) Close() error { return nil }

// withDevice hands o an engine that computes so many images.
func withDevice(o Options, images int64) Options {
	d := &lostDevice{}
	d.left.Store(images)
	o.Backbone.Engine = extract.Auto
	o.Engines = []extract.EngineSpec{{Name: extract.CUDA, Numerics: []string{"fp32"}, Open: func(context.Context, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		return d, extract.EngineInfo{Name: extract.CUDA, ISA: "a GPU", Plan: "test", Numeric: "fp32"}, nil
	}}}
	return o
}

func TestALostDeviceKeepsWhatIsDone(t *testing.T) {
	o := ready(t, withDevice(settings(photos(t, 2, 20)), 10))
	o.Extract.Workers, o.Extract.BatchSize = 1, 1
	_, err := Extract(context.Background(), o, Silent)
	if !errors.Is(err, errLost) || !errors.Is(err, extract.ErrEngine) {
		t.Fatal(err)
	}
	o = withDevice(o, 1000)
	o.Extract.Workers = 0
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Hits != 10 || sum.Computed != 30 || sum.Engine != extract.CUDA || sum.ISA != "a GPU" {
		t.Errorf("resumed: %+v", sum)
	}
	if want := 2 * runtime.GOMAXPROCS(0); sum.Work.Workers != want {
		t.Errorf("%d workers beside a device, want %d", sum.Work.Workers, want)
	}
}

func TestAnEngineThatIsNotThereIsSaidOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, which takes minutes under the race detector")
	}
	o := ready(t, settings(photos(t, 2, 3)))
	o.Engines = []extract.EngineSpec{{Name: extract.CUDA, Numerics: []string{"fp32"}, Open: func(context.Context, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		return nil, extract.EngineInfo{}, fmt.Errorf("no cuDNN: %w", extract.ErrEngineUnavailable)
	}}}
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	said := 0
	for _, w := range sum.Warnings {
		if strings.Contains(w, "engine cuda: no cuDNN") {
			said++
		}
	}
	if said != 1 || sum.Engine != extract.Native {
		t.Errorf("said %d times, computed on %s: %v", said, sum.Engine, sum.Warnings)
	}
	o.Backbone.Device = "cuda"
	if _, err := Extract(context.Background(), withImages(t, o), Silent); !errors.Is(err, extract.ErrEngineUnavailable) {
		t.Errorf("with backbone.device=cuda: %v", err)
	}
}

// withImages gives o other images to extract.
func withImages(t *testing.T, o Options) Options {
	o.Data.Train = photos(t, 2, 5)
	return o
}
