package pipeline

import (
	"context"

	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
)

// Forecast is what a run would do.
type Forecast struct {
	Summary report.Summary `json:"summary"` // hits, misses and the like as far as they are known unopened

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

// Plan says what [Run] would do, and writes nothing. If anything is to be extracted it
// times a few of the images.
func Plan(ctx context.Context, o Options, p Progress) (*Forecast, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	in, err := openInputs(ctx, o, toExtract, j)
	if err != nil {
		return nil, err
	}
	defer in.store.Close()
	defer in.computer.Close()
	j.Stage("look up")
	inventory, err := in.computer.LookUp(ctx, in.ds, in.earlier, dataset.ForTraining)
	if err != nil {
		return nil, err
	}
	j.Stage("forecast")
	if err := in.ds.Trainable(o.Data.MaxClasses); err != nil {
		j.Note("no head can be trained on this: " + err.Error())
	}
	f := forecastOf(in.ds, inventory, in.computer)
	if f.ToExtract > 0 {
		if f.ImagesPerSec, err = in.computer.Rate(ctx, inventory, timedImages); err != nil {
			return nil, err
		}
	}
	if f.ImagesPerSec > 0 {
		f.Seconds = float64(f.ToExtract) / f.ImagesPerSec
	}
	f.Summary = report.Summary{Found: inventory.Found(), Work: in.computer.Idle(), Log: j.Finish()}
	return f, nil
}

// forecastOf counts what is to be done.
func forecastOf(ds *dataset.Dataset, inventory *features.Inventory, computer *features.Computer) *Forecast {
	f := &Forecast{Classes: ds.Classes, Parts: map[string]int{}, ToExtract: len(inventory.Todo), CacheBytes: computer.Bytes(len(inventory.Todo))}
	for i := range ds.Items {
		f.Parts[ds.Items[i].Part.String()]++
	}
	for _, i := range inventory.Todo {
		f.ImageBytes += ds.Items[i].Stat.Size
	}
	return f
}
