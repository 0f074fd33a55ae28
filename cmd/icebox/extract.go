package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

func (p *process) extractCommand() *cobra.Command {
	var x extraction
	cmd := &cobra.Command{
		Use:   "extract [--data DIR] [key=value …]",
		Short: "Compute the features that the cache lacks",
		Long: `extract is the first stage alone: it brings the features of all images into the
cache. It also takes a flat folder of images without labels. It can be stopped
at any time; the same command goes on from there.`,
		RunE: x.command(p, p.extract),
	}
	x.addFlags(cmd)
	return cmd
}

func (p *process) extract(ctx context.Context, o pipeline.Options) error {
	bar := p.progress()
	o.Fetch = p.fetcher(bar)
	sum, err := pipeline.Extract(ctx, o, bar)
	bar.finish()
	if err != nil {
		if sum != nil {
			p.cameTo(&report.RunSummary{Summary: *sum})
		}
		return interrupted(err, extractKept)
	}
	return p.printSummary(sum, func(w io.Writer) {
		sum.Text(w, p.style())
		fmt.Fprintf(w, "cache      %s\n", p.short(o.Cache.Path))
		fmt.Fprintf(w, "took       %s\n", words.Duration(sum.Seconds))
	})
}
