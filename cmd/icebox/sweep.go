package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"icebox/pipeline"
)

func (p *process) sweepCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	run := pipeline.SweepRun{}
	cmd := &cobra.Command{
		Use:   "sweep [--features DIR] [--resume DIR] [key=value …]",
		Short: "Train many heads in one pass, keep the best",
		Long: `sweep trains a head for every combination of the options in sweep.axes, from the features
in the cache, all heads that share batches in one pass. It chooses by validation, or by
cross-validation, trains the chosen options once more and looks at test then, once.

  icebox sweep sweep.axes.lr='{log: [1e-4, 1e-1], steps: 7}' sweep.axes.weight_decay='[0, 1e-4]'

  sweep.axes     lr weight_decay batch_size optimizer schedule label_smoothing class_weights
                 input epochs train_fraction: lists, or ranges {log: [a, b], steps: n} and
                 {lin: [a, b], steps: n}; what is not there is as the head section says
  sweep.method   grid is every combination; random draws sweep.trials points (32) from the
                 lists and ranges; halving starts with a few epochs and goes on with the best
                 third, up to head.epochs, from sweep.trials points (the grid, or 27)
  sweep.metric   val_acc or val_loss; among equals the lower val_loss
  sweep.seeds    heads of a point with seeds head.seed, head.seed+1, …; the mean counts
  sweep.folds    cross-validation in the training images, stratified; groups and copies stay
                 together. Validation images then choose nothing
  sweep.refit    train the chosen options on training and validation images together
  train_fraction trains on a share of each class: smaller shares lie within larger ones

The run folder is that of the chosen head, for eval and predict, with sweep.csv and
sweep.jsonl beside it: every point, the best first. Points of which a head diverged are
listed last. An interrupted or killed sweep keeps what it has in the folder that it names at
the start, and ` + "`icebox sweep --resume FOLDER`" + ` goes on with the settings it was begun
with; the result is the same, to the bit. More than 10,000 heads need --yes; 1,000,000 are the most.
` + featuresHelp,
	}
	ch := choice(cmd)
	featuresFlag(cmd, ch)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		run.Choice = *ch
		run.Choice.Features = p.path(ch.Features)
		if run.Resume != "" {
			run.Resume = p.path(filepath.Clean(run.Resume))
			was, err := pipeline.Interrupted(run.Resume)
			if err != nil {
				return err
			}
			if run.Choice = was; ch.Features != "" {
				run.Choice.Features = p.path(ch.Features) // it may have moved
			}
			if s.file == "" {
				s.file = filepath.Join(run.Resume, "config.yaml")
			}
		}
		cfg, err := s.load(p, args)
		if err != nil {
			return err
		}
		if err := checkFeatures(cmd, ch.Features, cfg); err != nil {
			return err
		}
		if run.Resume == "" {
			run.Choice.KeepSplit, run.Choice.ByBackbone = !cfg.Given("data.split"), cfg.Given("backbone")
		}
		return p.sweep(cmd.Context(), c, p.options(cfg), run)
	}
	s.addFlags(cmd)
	cmd.Flags().StringVar(&run.Resume, "resume", "", "go on with the interrupted sweep in this `folder`")
	cmd.Flags().BoolVarP(&run.Confirmed, "yes", "y", false, "train more than 10,000 heads, up to 1,000,000")
	return cmd
}

func (p *process) sweep(ctx context.Context, c *common, o pipeline.Options, run pipeline.SweepRun) error {
	bar := p.progress(c)
	sum, err := pipeline.RunSweep(ctx, o, run, bar)
	bar.finish()
	if sum == nil {
		return err
	}
	if err != nil {
		return p.sweepStopped(sum, err)
	}
	if !c.quiet {
		p.printFeatures(&sum.Summary)
		sum.Report.Text(p.stderr)
		p.say("")
		p.say("rate       %s head-epochs/s over %.2f s; %s of %s heads were there already", humanize.CommafWithDigits(sum.HeadEpochsPerSecond, 1), sum.SweepSeconds, comma(sum.Resumed), comma(sum.Heads))
		p.printHead(&sum.RunSummary)
	}
	if c.json {
		return p.printJSON(sum)
	}
	return nil
}

// sweepStopped adds to an error how to go on.
func (p *process) sweepStopped(sum *pipeline.SweepSummary, err error) error {
	kept := "nothing was kept of this sweep; the features stay where they are"
	if sum.InterruptedAt != "" {
		kept = fmt.Sprintf("%s heads are kept; `icebox sweep --resume %s` goes on from there", comma(sum.Heads), p.short(sum.InterruptedAt))
	}
	if errors.Is(err, context.Canceled) {
		return interrupted(err, kept)
	}
	if sum.InterruptedAt != "" {
		return fmt.Errorf("%w; %s", err, kept)
	}
	return err
}
