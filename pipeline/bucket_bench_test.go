package pipeline

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkBucket extracts the same photos from a folder and from a store that takes 50 ms to
// answer, in turn, each into a new cache, and reports images/s of either. The store's own work
// is done by the same processors.
func BenchmarkBucket(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "photos")
	const n = 200
	for i := range n {
		small := picture(i%3, i)
		large := image.NewNRGBA(image.Rect(0, 0, 500, 375))
		for at := range 500 * 375 {
			x, y := at%500, at/500
			large.Set(x, y, small.At(x*small.Bounds().Dx()/500, y*small.Bounds().Dy()/375))
		}
		path := filepath.Join(dir, fmt.Sprintf("class%d", i%3), fmt.Sprintf("%03d.jpg", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		f, err := os.Create(path)
		if err == nil {
			err = jpeg.Encode(f, large, nil)
			f.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	s := startStore(b)
	upload(b, dir, "s3://photos/set")
	s.delay = 50 * time.Millisecond
	spent := map[string]time.Duration{}
	rounds := 0
	for b.Loop() {
		rounds++
		for _, source := range []string{dir, "s3://photos/set"} {
			o := settings(dir)
			o.Extract.BatchSize = 16
			o.Data.Train, o.Cache.Path = source, filepath.Join(b.TempDir(), fmt.Sprint(rounds, len(source), ".db"))
			o = ready(b, o)
			start := time.Now()
			sum, err := Extract(context.Background(), o, Silent)
			if err != nil || sum.Computed != n {
				b.Fatal(sum, err)
			}
			spent[source] += time.Since(start)
		}
	}
	for source, took := range spent {
		b.ReportMetric(float64(n*rounds)/took.Seconds(), map[bool]string{true: "images/s-folder", false: "images/s-bucket"}[source == dir])
	}
	b.ReportMetric(spent[dir].Seconds()/spent["s3://photos/set"].Seconds(), "bucket/folder")
}
