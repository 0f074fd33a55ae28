package headtrain

import (
	"context"
	"fmt"
	"math"
	"testing"

	"icebox/headtrain/internal/kernel"
)

// BenchmarkEpoch is one pass over 50,000 rows of 512 features; see also
// internal/kernel for the parts.
func BenchmarkEpoch(b *testing.B) {
	for _, c := range []struct{ heads, classes, batch, threads int }{
		{1, 10, 256, 1}, {1, 10, 256, 2}, {1, 10, 64, 2}, {1, 10, 1024, 2}, {1, 10, 4096, 2},
		{1, 2, 256, 2}, {1, 100, 256, 2}, {1, 1000, 256, 2},
		{64, 10, 64, 2}, {64, 10, 256, 2}, {64, 10, 1024, 2}, {64, 10, 4096, 2},
	} {
		b.Run(fmt.Sprintf("heads=%d/k=%d/batch=%d/threads=%d", c.heads, c.classes, c.batch, c.threads), func(b *testing.B) {
			job := Job{Train: clusters(50_000, 512, c.classes, 1)}
			for h := range c.heads {
				job.Heads = append(job.Heads, Options{BatchSize: c.batch, Threads: c.threads, LR: 1e-4 * float64(h+1), Epochs: maxEpochs / 1000})
			}
			s := newTestStack(b, kernel.Best(), job)
			b.SetBytes(int64(4 * len(s.train.X)))
			epoch := 0
			for b.Loop() {
				epoch++
				if err := s.epoch(context.Background(), epoch); err != nil {
					b.Fatal(err)
				}
			}
			rate := 4 * float64(len(s.train.X)) * float64(c.classes*c.heads) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate/1e9, "GFLOP/s")
			b.ReportMetric(100*rate/PeakFLOPS(c.threads), "%peak")
		})
	}
}

// BenchmarkPath trains what a sweep over ten weight decays and five folds of 5,000 rows
// trains; "steps" are those of all heads.
func BenchmarkPath(b *testing.B) {
	p := Path{Train: clusters(5000, 512, 10, 1), Tolerance: 1e-4, Iterations: 500}
	for i := range 10 {
		p.Decays = append(p.Decays, math.Pow(10, 1-float64(i)*5/9))
	}
	for r := 0; r < len(p.Train.Labels); r += 4 {
		p.Train.Labels[r] = int32(r / 4 % 10) // so that no head gets all right
	}
	p.Parts = fifths(p.Train)
	steps := 0
	for b.Loop() {
		results, err := p.Fit(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		for _, heads := range results {
			for _, r := range heads {
				steps += len(r.History)
			}
		}
	}
	b.ReportMetric(float64(steps)/float64(b.N), "steps")
}
