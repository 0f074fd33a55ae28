package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"icebox/pipeline"
	"icebox/pipeline/words"
)

// forecast prints what a run would do.
func (p *process) forecast(ctx context.Context, o pipeline.Options) error {
	f, err := pipeline.Plan(ctx, o, pipeline.Silent)
	if err != nil {
		return err
	}
	for _, w := range f.Summary.Warnings {
		p.tell("note: %s", w)
	}
	return p.printSummary(f, func(w io.Writer) { p.forecastText(w, f, o.Cache.Path) })
}

func (p *process) forecastText(w io.Writer, f *pipeline.Forecast, cachePath string) {
	s := &f.Summary
	fmt.Fprintf(w, "dataset    %s: %s, %s (train %s, val %s, test %s, to be split %s)\n", s.Dataset, words.Count(s.Images, "image"), words.Count(len(f.Classes), "class"),
		words.Number(f.Parts["train"]), words.Number(f.Parts["val"]), words.Number(f.Parts["test"]), words.Number(f.Parts[""]))
	fmt.Fprintf(w, "features   %s in the cache; %s (%s) would be opened\n", words.Number(s.Hits), words.Count(f.ToExtract, "image"), humanize.Bytes(uint64(f.ImageBytes)))
	switch {
	case f.ToExtract > 0 && f.ImagesPerSec == 0:
		fmt.Fprintln(w, "           the time could not be measured: the images tried are bad")
	case f.ToExtract > 0:
		fmt.Fprintf(w, "           that would take about %v at %.1f images/s, and %s in %s\n", time.Duration(f.Seconds*float64(time.Second)).Round(time.Second),
			f.ImagesPerSec, humanize.Bytes(uint64(f.CacheBytes)), p.short(cachePath))
	}
	fmt.Fprintln(w, "nothing was written")
}
