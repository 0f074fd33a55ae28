package main

import (
	"context"
	"os"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"icebox/config"
	"icebox/extract"
	"icebox/extract/cuda"
	"icebox/pipeline"
	"icebox/pipeline/shards"
	"icebox/pipeline/words"
)

func init() {
	register.Emitter1[int]()
	register.DoFn2x0[[]byte, func(int)](&numberFn{})
	register.DoFn2x1[context.Context, int, error](&shardFn{})
}

// work says what workers have to know of a job, so that it travels to them as JSON.
type work struct {
	Manifest string   // a file
	Parts    string   // folder
	Settings []string // key=value
	Dir      string   // that relative paths in settings begin in
}

// pipe draws the pipeline: the numbers of n shards, dealt out to the workers, each computed
// where it comes to. There is nothing behind it that would have to wait for all, or would be
// lost with a worker: a part that is published stays.
func (w work) pipe(s beam.Scope, n int) {
	numbers := beam.ParDo(s.Scope("number"), &numberFn{N: n}, beam.Impulse(s))
	beam.ParDo0(s.Scope("extract"), &shardFn{Work: w, Of: n}, beam.Reshuffle(s, numbers))
}

// numberFn counts shards.
type numberFn struct{ N int }

// ProcessElement emits the numbers from 0 to N-1.
func (f *numberFn) ProcessElement(_ []byte, emit func(int)) {
	for i := range f.N {
		emit(i)
	}
}

// shardFn computes shards. An engine makes as many of it as it likes.
type shardFn struct {
	Work work
	Of   int
}

// ProcessElement computes a shard and publishes its part, unless that is done.
func (f *shardFn) ProcessElement(ctx context.Context, i int) error {
	s := shards.Shard{Index: i, Of: f.Of}
	w, err := f.Work.worker()
	if err != nil {
		return failed(s, err)
	}
	sum, err := w.Extract(ctx, s)
	if err != nil {
		return failed(s, err)
	}
	count(ctx, sum)
	if sum.Already {
		log.Infof(ctx, "shard %v is done already", s)
		return nil
	}
	log.Infof(ctx, "shard %v: %s, %s without a feature, %s", s, words.Count(sum.Marker.Rows, "row"), words.Number(sum.Marker.Dead), words.Duration(sum.Seconds))
	return nil
}

// workers are those of this process, by what they work on: all shards of a job that come to
// the process share one backbone. An engine that ends the process ends them.
var workers = struct {
	sync.Mutex
	of map[string]*pipeline.ShardWorker
}{of: map[string]*pipeline.ShardWorker{}}

// worker is that of this process.
func (w work) worker() (*pipeline.ShardWorker, error) {
	workers.Lock()
	defer workers.Unlock()
	if open := workers.of[w.Manifest+"\x00"+w.Parts]; open != nil {
		return open, nil
	}
	open, err := w.open(context.Background(), notes{pipeline.Silent})
	if err == nil {
		workers.of[w.Manifest+"\x00"+w.Parts] = open
	}
	return open, err
}

// open reads the settings and the manifest.
func (w work) open(ctx context.Context, p pipeline.Progress) (*pipeline.ShardWorker, error) {
	var over []config.Override
	for _, arg := range w.Settings {
		o, err := config.ParseOverride(arg)
		if err != nil {
			return nil, err
		}
		over = append(over, o)
	}
	cfg, err := config.Load(config.Source{Environ: os.Environ(), Overrides: over, Dir: w.Dir})
	if err != nil {
		return nil, err
	}
	o := cfg.Options
	o.Engines = []extract.EngineSpec{cuda.Spec(cuda.Options{Env: os.Getenv})}
	return pipeline.OpenShardWorker(ctx, o, pipeline.ShardOptions{Manifest: w.Manifest, Parts: w.Parts, Made: cfg.Made()}, p)
}

// closeWorkers closes those of this process.
func closeWorkers() {
	workers.Lock()
	defer workers.Unlock()
	for _, w := range workers.of {
		_ = w.Close() // what they have published stays
	}
	clear(workers.of)
}

// notes tells the engine's log what a person should know.
type notes struct{ pipeline.Progress }

func (notes) Note(text string) { log.Warn(context.Background(), text) }
