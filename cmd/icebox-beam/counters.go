package main

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"icebox/pipeline"
)

// namespace is that of the counters, in the engine's pages.
const namespace = "icebox"

// Counters of what was done, work that was done twice included.
var (
	shardsComputed = beam.NewCounter(namespace, "shards_computed")
	shardsSkipped  = beam.NewCounter(namespace, "shards_skipped") // they were done before
	images         = beam.NewCounter(namespace, "images")         // of the computed shards
	badImages      = beam.NewCounter(namespace, "images_bad")     // of them, those that are dead letters
	bytesRead      = beam.NewCounter(namespace, "bytes_read")     // of image files
)

// Milliseconds of each computed shard: on the clock, and those of its workers, added up.
var (
	shardTime   = beam.NewDistribution(namespace, "shard_ms")
	readTime    = beam.NewDistribution(namespace, "read_ms")
	hashTime    = beam.NewDistribution(namespace, "hash_ms")
	decodeTime  = beam.NewDistribution(namespace, "decode_ms")
	forwardTime = beam.NewDistribution(namespace, "forward_ms")
	writeTime   = beam.NewDistribution(namespace, "write_ms")
)

// count counts a shard.
func count(ctx context.Context, sum *pipeline.ShardSummary) {
	if sum.Already {
		shardsSkipped.Inc(ctx, 1)
		return
	}
	shardsComputed.Inc(ctx, 1)
	images.Inc(ctx, int64(sum.Marker.Rows+sum.Marker.Dead))
	badImages.Inc(ctx, int64(sum.Marker.Dead))
	bytesRead.Inc(ctx, sum.BytesRead)
	for _, t := range []struct {
		of      beam.Distribution
		seconds float64
	}{{shardTime, sum.Seconds}, {readTime, sum.Times.Read}, {hashTime, sum.Times.Hash}, {decodeTime, sum.Times.Decode}, {forwardTime, sum.Times.Forward}, {writeTime, sum.Times.Write}} {
		t.of.Update(ctx, int64(1000*t.seconds+0.5))
	}
}

// counted are the counters of a job that has ended, by name. Some engines keep none.
func counted(result beam.PipelineResult) map[string]int64 {
	all := map[string]int64{}
	if result == nil {
		return all
	}
	m := result.Metrics()
	for _, c := range m.Query(func(r beam.MetricResult) bool { return r.Namespace() == namespace }).Counters() {
		all[c.Name()] += c.Result()
	}
	return all
}
