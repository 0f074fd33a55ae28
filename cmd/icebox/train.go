package main

import (
	"github.com/spf13/cobra"

	"icebox/pipeline"
)

// choice adds the flags that pick one of several datasets or spaces in a cache.
func choice(cmd *cobra.Command) *pipeline.Choice {
	c := &pipeline.Choice{}
	cmd.Flags().StringVar(&c.Dataset, "dataset", "", "`name` of a dataset in the cache, where there are several")
	cmd.Flags().StringVar(&c.Space, "space", "", "beginning of a space's `id`, where there are several (other weights or preprocessing)")
	return c
}

func (p *process) trainCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	var findLR bool
	cmd := &cobra.Command{
		Use:   "train [--features DIR] [--find-lr] [key=value …]",
		Short: "Train a head from the cache alone, or on features made elsewhere",
		Long: `train is the second stage alone: it trains, evaluates and reports from the features and
the dataset that the cache keeps. It opens no image; the image folder may be gone.
` + findLRHelp + featuresHelp,
	}
	ch := choice(cmd)
	featuresFlag(cmd, ch)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := s.load(p, args)
		if err != nil {
			return err
		}
		if err := checkFeatures(cmd, ch.Features, cfg); err != nil {
			return err
		}
		command := withoutLR(cmd, args)
		ch.KeepSplit, ch.ByBackbone = !cfg.Given("data.split"), cfg.Given("backbone")
		ch.Features = p.path(ch.Features)
		if findLR {
			return p.findLR(cmd.Context(), c, p.options(cfg), *ch, command)
		}
		bar := p.progress(c)
		sum, err := pipeline.Train(cmd.Context(), p.options(cfg), *ch, bar)
		bar.finish()
		return p.ranHead(c, sum, err, "nothing was kept of this training; the features stay in the cache")
	}
	s.addFlags(cmd)
	cmd.Flags().BoolVar(&findLR, "find-lr", false, "try learning rates for an epoch each, recommend one, and write nothing")
	return cmd
}
