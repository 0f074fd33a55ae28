package main

import (
	"context"

	"github.com/spf13/cobra"

	"icebox/pipeline"
)

func (p *process) extractCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	var dryRun, retry bool
	cmd := &cobra.Command{
		Use:   "extract [--data DIR] [key=value …]",
		Short: "Compute the features that the cache lacks",
		Long: `extract is the first stage alone: it brings the features of all images into the cache.
It also takes a flat folder of images without labels. It can be stopped at any time; the
same command goes on from there.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := s.options(p, args)
			if err != nil {
				return err
			}
			o.Extract.RetryFailed = o.Extract.RetryFailed || retry
			if dryRun {
				return p.forecast(cmd.Context(), c, o)
			}
			return p.extract(cmd.Context(), c, o)
		},
	}
	s.addFlags(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done, and do nothing")
	cmd.Flags().BoolVar(&retry, "retry-failed", false, "try images again that are remembered as bad: the key extract.retry_failed")
	return cmd
}

func (p *process) extract(ctx context.Context, c *common, o pipeline.Options) error {
	var sum *pipeline.Summary
	err := p.withWeights(ctx, c, func() (err error) {
		bar := p.progress(c)
		defer bar.finish()
		sum, err = pipeline.Extract(ctx, o, bar)
		return err
	})
	err = interrupted(err, extractKept)
	if sum == nil {
		return err
	}
	if !c.quiet {
		p.printFeatures(sum)
		if err == nil {
			p.say("cache      %s", p.short(o.Cache.Path))
			p.say("took       %.2f s", sum.Seconds)
		}
	}
	if c.json && err == nil {
		return p.printJSON(sum)
	}
	return err
}
