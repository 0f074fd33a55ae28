package pipeline

import (
	"context"
	"strings"
	"testing"

	"icebox/pipeline/dataset"
	"icebox/pipeline/runs"
)

// BenchmarkWarmRun runs over 60,000 files of ten classes whose features are in the cache,
// and trains a head for ten epochs on 50,000 of them, without tuning.
func BenchmarkWarmRun(b *testing.B) {
	ctx := context.Background()
	o := ready(b, settings(photos(b, 2, 8)))
	first, err := Run(ctx, o, Silent)
	if err != nil {
		b.Fatal(err)
	}
	head, _, err := runs.Head(*first.RunDir)
	if err != nil {
		b.Fatal(err)
	}
	o.Data.Train = b.TempDir()
	fillPool(b, o.Cache.Path, head.Fingerprint, o.Data.Train, 60_000, 10)
	o.Data.Split, o.Head.Epochs = dataset.Split{Val: 1. / 12, Test: 1. / 12}, 10
	if _, err := Run(ctx, o, Silent); err != nil { // it hashes the files, and works baselines out
		b.Fatal(err)
	}
	for b.Loop() {
		warm, err := Run(ctx, o, Silent)
		if err != nil {
			b.Fatal(err)
		}
		if warm.Hits != 60_000 || warm.ImagesOpened > 0 {
			b.Fatal(warm.Hits, warm.ImagesOpened)
		}
		for _, s := range warm.Log.Stages {
			b.ReportMetric(s.Seconds*1000, "ms-"+strings.ReplaceAll(s.Name, " ", "-"))
		}
	}
}
