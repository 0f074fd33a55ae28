package headtrain

import (
	"context"
	"fmt"
	"testing"

	"icebox/headtrain/internal/kernel"
)

// BenchmarkEpoch is one pass over 50,000 rows of 512 features; see also
// internal/kernel for the parts.
func BenchmarkEpoch(b *testing.B) {
	for _, c := range []struct{ classes, batch, threads int }{
		{10, 256, 1}, {10, 256, 2}, {10, 64, 2}, {10, 4096, 2}, {2, 256, 2}, {100, 256, 2}, {1000, 256, 2},
	} {
		b.Run(fmt.Sprintf("k=%d/batch=%d/threads=%d", c.classes, c.batch, c.threads), func(b *testing.B) {
			o := Options{BatchSize: c.batch, Threads: c.threads, Epochs: maxEpochs}
			f := newFit(kernel.Best(), Job{Train: clusters(50_000, 512, c.classes, 1)}, Part{}, o.WithDefaults())
			defer f.team.close()
			b.SetBytes(int64(4 * len(f.train.X)))
			epoch := 0
			for b.Loop() {
				epoch++
				if err := f.epoch(context.Background(), epoch); err != nil {
					b.Fatal(err)
				}
			}
			flops := 4 * float64(len(f.train.X)) * float64(c.classes) * float64(b.N)
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// BenchmarkTeam is the cost of handing out work and waiting for it.
func BenchmarkTeam(b *testing.B) {
	t := newTeam(2)
	defer t.close()
	for b.Loop() {
		t.run(2, 2, func(int, int) {})
	}
}
