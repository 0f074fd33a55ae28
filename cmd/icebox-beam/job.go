package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"github.com/dustin/go-humanize"

	"icebox/pipeline"
	"icebox/pipeline/shards"
	"icebox/pipeline/words"
)

// imagesAShard is how many images a shard has, about, where nobody says it: minutes of work.
const imagesAShard = 4096

// job is what the command line asks for.
type job struct {
	work
	shards int // 0: to be chosen
	async  bool
}

// run computes the shards that are missing, and says to out what came of it.
func (j *job) run(ctx context.Context, out io.Writer) error {
	start := time.Now()
	w, err := j.open(ctx, pipeline.Silent) // what is wrong for every worker is found here
	if err != nil {
		return err
	}
	defer w.Close()
	before, err := j.divide(w)
	if err != nil {
		return err
	}
	p, s := beam.NewPipelineWithRoot()
	j.pipe(s, j.shards)
	result, err := beamx.RunWithMetrics(ctx, p)
	closeWorkers()
	if ctx.Err() != nil {
		return fmt.Errorf("%w: the same command goes on from the shards that are done; a job on a cluster does not end before it is cancelled there", context.Canceled)
	}
	if err != nil {
		return err
	}
	if j.async {
		fmt.Fprintln(out, "the engine has the job, and its pages tell how far it is")
		return nil
	}
	after, err := w.Markers()
	if err != nil {
		return fmt.Errorf("the engine says that the job is done, and it is not: %w", err)
	}
	j.report(out, len(before), after, counted(result), time.Since(start))
	return nil
}

// divide chooses how many shards there are, if nobody has, and returns the markers of those
// that are done. Parts of another number of shards are in the way.
func (j *job) divide(w *pipeline.ShardWorker) ([]*shards.Marker, error) {
	done, err := w.Markers()
	if err != nil && !errors.Is(err, shards.ErrIncomplete) {
		return nil, err
	}
	items := w.Manifest().Items()
	switch {
	case len(done) > 0 && j.shards == 0:
		j.shards = done[0].Of
	case len(done) > 0 && j.shards != done[0].Of:
		return nil, fmt.Errorf("%w: %s has shards of %d, and --shards says %d", shards.ErrMixed, j.Parts, done[0].Of, j.shards)
	case j.shards == 0:
		j.shards = min(max(1, (items+imagesAShard-1)/imagesAShard), shards.MaxShards)
	}
	return done, nil
}

// report says what was done.
func (j *job) report(out io.Writer, before int, after []*shards.Marker, counts map[string]int64, took time.Duration) {
	rows, dead := 0, 0
	for _, m := range after {
		rows, dead = rows+m.Rows, dead+m.Dead
	}
	fmt.Fprintf(out, "shards     %s, all of them done; %s of them before this job\n", words.Number(len(after)), words.Number(before))
	if len(counts) > 0 {
		least := ""
		if counts["shards_computed"] < int64(len(after)-before) {
			least = "at least " // an engine may lose counts, as prism does of bundles that it splits
		}
		fmt.Fprintf(out, "computed   %s%s of %s, %s read; %s skipped, done before\n", least, words.Count(counts["shards_computed"], "shard"), words.Count(counts["images"], "image"), humanize.Bytes(uint64(counts["bytes_read"])), words.Number(counts["shards_skipped"]))
	}
	fmt.Fprintf(out, "features   %s; %s without one, in the dead letters\n", words.Count(rows, "row"), words.Count(dead, "image"))
	fmt.Fprintf(out, "parts      %s\n", j.Parts)
	fmt.Fprintf(out, "took       %s\n", words.Duration(took.Seconds()))
	fmt.Fprintf(out, "next       icebox cache merge %s --manifest %s --cache features.db\n", j.Parts, j.Manifest)
}
