package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"icebox/cache"
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
	if want := 2 * runtime.GOMAXPROCS(0); sum.Times.Workers != want {
		t.Errorf("%d workers beside a device, want %d", sum.Times.Workers, want)
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

// What an engine measures is there for the next process.
func TestWhatEnginesMeasureIsKept(t *testing.T) {
	var recalled []string
	o := settings(photos(t, 2, 3))
	o.Backbone.Engine = extract.Auto
	o.Engines = []extract.EngineSpec{{Name: extract.CUDA, Numerics: []string{"fp32"}, Open: func(_ context.Context, b extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		value, _ := b.Memo.Recall("a GPU")
		recalled = append(recalled, value)
		b.Memo.Keep("a GPU", value+"x")
		d := &shrinkingDevice{left: 1 << 30}
		return d, d.Info(), nil
	}}}
	o = ready(t, o) // its gate has passed
	recalled = nil
	for range 3 {
		_, err := Extract(context.Background(), withImages(t, o), Silent)
		must(t, err)
	}
	if want := []string{"", "x", "xx"}; !slices.Equal(recalled, want) {
		t.Errorf("recalled %q, want %q", recalled, want)
	}
}

// withImages gives o other images to extract.
func withImages(t *testing.T, o Options) Options {
	o.Data.Train = photos(t, 2, 5)
	return o
}

// shrinkingDevice computes ones in plan a, and from some image on twos in plan b, as a
// GPU does whose memory gets short. That call is as if each plan had a part in it.
type shrinkingDevice struct {
	mu    sync.Mutex
	left  int
	small bool
}

func (d *shrinkingDevice) Info() extract.EngineInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	info := extract.EngineInfo{Name: extract.CUDA, ISA: "a GPU", Plan: "a", Numeric: "fp32"}
	if d.small {
		info.Plan = "b"
	}
	return info
}

func (d *shrinkingDevice) Forward(_ context.Context, features []float32, _ []uint8, n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range n {
		value := float32(1)
		if d.left--; d.left < 0 {
			d.small, value = true, 2
		}
		for k := range extract.Dim {
			features[i*extract.Dim+k] = value
		}
	}
	return nil
}

func (*shrinkingDevice) Close() error { return nil }

// Rows of a plan are recorded as that plan's, and no plan's before it has passed the
// gate: here the second passes, there it is not known and this device fails it.
func TestAnEngineThatChangesItsPlan(t *testing.T) {
	for _, passes := range []bool{true, false} {
		d := &shrinkingDevice{left: 10}
		o := settings(photos(t, 2, 20))
		o.Backbone.Engine = extract.Auto
		o.Engines = []extract.EngineSpec{{Name: extract.CUDA, Numerics: []string{"fp32"}, Open: func(_ context.Context, b extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
			b.Note("going on in plan b")
			return d, d.Info(), nil
		}}}
		o = ready(t, o)
		if passes {
			d.small = true
			o = ready(t, o)
			d.small = false
		} else if raceEnabled {
			continue // the reference takes minutes
		}
		o.Extract.Workers = 3
		sum, err := Extract(context.Background(), o, Silent)
		if passes {
			must(t, err)
		} else if !errors.Is(err, extract.ErrEnginesDisagree) {
			t.Fatal(err)
		}
		if !slices.Contains(sum.Warnings, "going on in plan b") {
			t.Errorf("warnings %q", sum.Warnings)
		}
		rows := map[string]int{}
		c, err := cache.Open(o.Cache.Path, cache.Options{})
		must(t, err)
		for _, s := range c.Spaces() {
			for _, p := range s.Producers {
				rows[p.Plan] += p.Rows
			}
		}
		sumOf := map[float32]int{}
		for _, s := range c.Spaces() {
			row := make([]float32, extract.Dim)
			for k := range c.Keys(s.ID) {
				if _, err := c.Lookup(s.ID, []cache.Key{k}, row); err != nil {
					t.Fatal(err)
				}
				sumOf[row[0]]++
			}
		}
		must(t, c.Close())
		if rows["a"] != sumOf[1] || rows["b"] != sumOf[2] || rows["a"]+rows["b"] != sum.Computed || rows["a"] > 10 || passes != (sum.Computed == 40) || passes != (rows["b"] > 0) {
			t.Errorf("passes %v: %v rows by plan, %v by value, %d computed", passes, rows, sumOf, sum.Computed)
		}
	}
}
