package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"icebox/extract"
	"icebox/pipeline/shards"
)

// countedDevice computes what the native engine does, and counts. It can be lost.
type countedDevice struct {
	*extract.Extractor
	opened, images, closed atomic.Int64
	lost                   atomic.Bool
}

func (d *countedDevice) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	if d.lost.Load() {
		return errLost
	}
	d.images.Add(int64(n))
	return d.Extractor.Forward(ctx, features, pixels, n)
}

func (d *countedDevice) Close() error {
	d.closed.Add(1)
	return nil
}

// counted hands o a device that counts.
func counted(t *testing.T, o Options) (*countedDevice, Options) {
	t.Helper()
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, which takes minutes under the race detector")
	}
	x, err := extract.Open(context.Background(), extract.Options{Weights: o.Backbone.Weights})
	must(t, err)
	t.Cleanup(func() { _ = x.Close() })
	d := &countedDevice{Extractor: x}
	o.Backbone.Engine = extract.Auto
	o.Engines = []extract.EngineSpec{{Name: extract.CUDA, Numerics: []string{"fp32"}, Open: func(context.Context, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		d.opened.Add(1)
		return d, extract.EngineInfo{Name: extract.CUDA, ISA: "a GPU", Plan: "test", Numeric: "fp32"}, nil
	}}}
	return d, o
}

// A worker opens and tests its engine once, however many shards it computes and however many
// goroutines ask for them. The parts are those of a worker that computes one shard.
func TestAShardWorkerOpensItsBackboneOnce(t *testing.T) {
	d, o := counted(t, settings(photos(t, 2, 6)))
	s := freeze(t, o, 4)
	so := ShardOptions{Manifest: s.manifest, Parts: s.parts, Scratch: t.TempDir()}
	w, err := OpenShardWorker(context.Background(), o, so, Silent)
	must(t, err)
	if w.Manifest().Items() != 12 || d.opened.Load() != 0 {
		t.Errorf("%d items, %d engines opened before there is a shard", w.Manifest().Items(), d.opened.Load())
	}
	var all sync.WaitGroup
	for i := range 2 * s.of {
		all.Go(func() {
			sum, err := w.Extract(context.Background(), shards.Shard{Index: i % s.of, Of: s.of})
			if err != nil || sum.Marker == nil || sum.Already != (sum.Computed == 0) || !sum.Already && sum.Times.Forward == 0 {
				t.Errorf("shard %d: %+v, %v", i%s.of, sum, err)
			}
		})
	}
	all.Wait()
	must(t, w.Close())
	if d.opened.Load() != 1 || d.closed.Load() != 1 || d.images.Load() != 12+1 {
		t.Errorf("%d engines opened, %d closed, %d images computed, one of them to test the engine", d.opened.Load(), d.closed.Load(), d.images.Load())
	}
	so.Parts, so.Shard = t.TempDir(), shards.Shard{Index: 2, Of: s.of}
	sum, err := ExtractShard(context.Background(), o, so, Silent)
	must(t, err)
	sameFile(t, sum.Part, filepath.Join(s.parts, filepath.Base(sum.Part)))
}

func sameFile(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	must(t, err)
	y, err := os.ReadFile(b)
	must(t, err)
	if string(x) != string(y) {
		t.Errorf("%s and %s differ", a, b)
	}
}

// An engine that fails ends its shard, and no other: the next one opens it anew.
func TestAShardWorkerOutlivesAnEngine(t *testing.T) {
	d, o := counted(t, settings(photos(t, 2, 3)))
	s := freeze(t, o, 2)
	w, err := OpenShardWorker(context.Background(), o, ShardOptions{Manifest: s.manifest, Parts: s.parts, Scratch: t.TempDir()}, Silent)
	must(t, err)
	defer w.Close()
	d.lost.Store(true)
	if _, err := w.Extract(context.Background(), shards.Shard{Index: 0, Of: 2}); !errors.Is(err, extract.ErrEngine) {
		t.Errorf("a lost device: %v", err)
	}
	d.lost.Store(false)
	for i := range 2 {
		sum, err := w.Extract(context.Background(), shards.Shard{Index: i, Of: 2})
		if err != nil || sum.Computed != 3 {
			t.Errorf("shard %d after it: %+v, %v", i, sum, err)
		}
	}
	if d.opened.Load() != 2 {
		t.Errorf("%d engines opened", d.opened.Load())
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	held, err := OpenShardWorker(context.Background(), o, ShardOptions{Manifest: s.manifest, Parts: t.TempDir(), Scratch: t.TempDir()}, Silent)
	must(t, err)
	<-held.free // as if another shard were computed
	if _, err := held.Extract(stopped, shards.Shard{Index: 0, Of: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("one that waits for its turn and is stopped: %v", err)
	}
}
