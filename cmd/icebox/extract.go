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
	var f shardFlags
	cmd := &cobra.Command{
		Use:   "extract [--data DIR] [key=value …]",
		Short: "Compute the features that the cache lacks",
		Long: `extract is the first stage alone: it brings the features of all images into the
cache. It also takes a flat folder of images without labels. It can be stopped
at any time; the same command goes on from there.

With --manifest it computes one shard of many, for machines that share the work;
icebox manifest tells how.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f != (shardFlags{}) {
				return p.extractShard(cmd.Context(), &x, &f, args)
			}
			return x.command(p, p.extract)(cmd, args)
		},
	}
	x.addFlags(cmd)
	f.addFlags(cmd)
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
