package graph

import (
	"context"
	"fmt"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/trainertest"
)

// BenchmarkEpoch is one pass over 50,000 rows of 512 features, 10 classes, in
// batches of 256, on either engine: what the fused one gains.
func BenchmarkEpoch(b *testing.B) {
	job := headtrain.Job{Train: trainertest.Clusters(50_000, 512, 10, 1)}
	for _, c := range []struct {
		engine headtrain.Engine
		o      headtrain.Options
		epochs int
	}{
		{headtrain.Fused(), headtrain.Options{}, 25},
		{Engine(), headtrain.Options{}, 5},
		{Engine(), headtrain.Options{Kind: headtrain.KindMLP}, 2},
	} {
		b.Run(fmt.Sprintf("%s/%s", c.engine.Name, c.o.WithDefaults().Kind), func(b *testing.B) {
			c.o.Epochs = c.epochs
			job.Heads = []headtrain.Options{c.o}
			for b.Loop() {
				results, err := c.engine.Trainer.Fit(context.Background(), job)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(results[0].EpochSeconds*1e3, "ms/epoch")
			}
		})
	}
}
