package pipeline

import (
	"context"
	"runtime"
	"time"

	"icebox/cache"
	"icebox/extract"
)

// Forecast is what a run would do.
type Forecast struct {
	Summary Summary `json:"summary"` // hits, misses and the like as far as they are known unopened

	Classes      []string       `json:"classes"`
	Parts        map[string]int `json:"parts"`           // items by part; "" are yet to be split
	ToExtract    int            `json:"to_extract"`      // images to open
	ImageBytes   int64          `json:"image_bytes"`     // of these
	CacheBytes   int64          `json:"cache_bytes"`     // that the cache would grow by, about
	ImagesPerSec float64        `json:"images_per_s"`    // measured on a few of these
	Seconds      float64        `json:"extract_seconds"` // for all of these, about
}

// timedImages is how many images a forecast computes to know the rate.
const timedImages = 3

// Plan says what Extract would do, and writes nothing. If anything is to be
// extracted it times a few of the images.
func Plan(ctx context.Context, o Options, p Progress) (*Forecast, error) {
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	f := &Forecast{Parts: map[string]int{}}
	err = j.do(ctx, []stage{{"open", openBackbone}, {"scan", scanImages}, {"look up", lookUp}, {"forecast", f.forecast}})
	f.Summary = j.sum
	return f, err
}

func (f *Forecast) forecast(ctx context.Context, j *job) error {
	if err := j.ds.checkTrainable(); err != nil {
		j.warn("`icebox run` would refuse this: %v", err)
	}
	todo := j.missing()
	f.Classes = j.ds.Classes
	for i := range j.ds.Items {
		f.Parts[j.ds.Items[i].Part.String()]++
	}
	for _, i := range todo {
		f.ImageBytes += j.ds.Items[i].Stat.Size
	}
	width := int64(4)
	if j.space.DType == cache.Float16 {
		width = 2
	}
	f.ToExtract = len(todo)
	f.CacheBytes = int64(len(todo)) * (extract.Dim*width + 100)
	if err := j.finishExtract(nil); err != nil || len(todo) == 0 {
		return err
	}
	return f.time(ctx, j, todo)
}

// time computes a few images spread over todo, after one to warm up.
func (f *Forecast) time(ctx context.Context, j *job, todo []int) error {
	row, errs := make([]float32, extract.Dim), make([]error, 1)
	var spent time.Duration
	timed := 0
	for n := range min(timedImages+1, len(todo)) {
		it := &j.ds.Items[todo[n*len(todo)/(timedImages+1)]]
		start := time.Now()
		data, _, err := readImage(j.ds.File(it))
		if err != nil {
			continue
		}
		if err := j.x.Extract(ctx, [][]byte{data}, row, errs); err != nil {
			return err
		}
		if errs[0] != nil || n == 0 {
			continue
		}
		spent += time.Since(start)
		timed++
	}
	if timed == 0 {
		return nil
	}
	workers := j.opts.Extract.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	f.ImagesPerSec = float64(timed*workers) / spent.Seconds()
	f.Seconds = float64(len(todo)) / f.ImagesPerSec
	return nil
}
