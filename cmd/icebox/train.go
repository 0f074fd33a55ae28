package main

import (
	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/pipeline"
)

// rowsFlags are the flags of a command that takes features: it reads the configuration,
// and picks one of several datasets or spaces of a cache, or a folder.
type rowsFlags struct {
	settings
	choice pipeline.Choice
}

// addChoice adds the flags that pick one of several datasets or spaces of a cache.
func addChoice(cmd *cobra.Command, dataset, space *string) {
	cmd.Flags().StringVar(dataset, "dataset", "", "`name` of a dataset in the cache, where there are several")
	cmd.Flags().StringVar(space, "space", "", "beginning of a space's `id`, where there are several (other weights or preprocessing)")
}

func (r *rowsFlags) addFlags(cmd *cobra.Command) {
	r.settings.addFlags(cmd)
	addChoice(cmd, &r.choice.Dataset, &r.choice.Space)
	cmd.Flags().StringVar(&r.choice.Features, "features", "", "`folder` of features.npy and labels.npy, to be used instead of the cache")
}

// load reads the configuration and refuses flags that contradict each other.
func (r *rowsFlags) load(p *process, cmd *cobra.Command, args []string) (*config.Config, error) {
	cfg, err := r.settings.load(p, args)
	if err != nil || r.choice.Features == "" {
		return cfg, err
	}
	r.choice.Features = p.path(r.choice.Features)
	for _, flag := range []string{"dataset", "space"} {
		if cmd.Flags().Changed(flag) {
			return nil, bothSources("--" + flag)
		}
	}
	for _, source := range []struct{ key, name string }{
		{"data.train", "--data"}, {"cache.path", "--cache"}, {"backbone.weights", "--weights"},
		{"backbone.precision", "backbone.precision"}, {"extract.exif", "extract.exif"}, {"cache.dtype", "cache.dtype"},
		{"extract.fit", "extract.fit"}, {"extract.background", "extract.background"}, {"extract.truncated", "extract.truncated"},
	} {
		if cfg.OnCommandLine(source.key) {
			return nil, bothSources(source.name)
		}
	}
	return cfg, nil
}

func bothSources(flag string) error {
	return usagef("--features and %s: choose one, a folder of features or the cache", flag)
}

func (p *process) trainCommand() *cobra.Command {
	var r rowsFlags
	var findLR bool
	cmd := &cobra.Command{
		Use:   "train [--features DIR] [--find-lr] [key=value …]",
		Short: "Train a head from the cache, or on features made elsewhere",
		Long: `train is the second stage alone: it trains, evaluates and reports from the
features and the dataset that the cache keeps. It opens no image; the image
folder may be gone. The weight decay is chosen as ` + "`icebox run`" + ` does it;
head.tune=off trains as the keys say.
` + findLRHelp + featuresHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := r.load(p, cmd, args)
			if err != nil {
				return err
			}
			r.choice.KeepSplit, r.choice.ByBackbone, r.choice.Made = !cfg.Given("data.split"), cfg.Given("backbone"), cfg.Made()
			if findLR {
				return p.findLR(cmd.Context(), p.options(cfg), r.choice, withoutLR(cmd, args))
			}
			bar := p.progress()
			sum, err := pipeline.Train(cmd.Context(), p.options(cfg), r.choice, bar)
			bar.finish()
			return p.ranHead(sum, err, "nothing was kept of this training; the features stay where they are")
		},
	}
	r.addFlags(cmd)
	cmd.Flags().BoolVar(&findLR, "find-lr", false, "try learning rates for an epoch each, recommend one, and write nothing")
	return cmd
}
