package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/pipeline"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/sweep"
	"icebox/pipeline/words"
)

const sweepHelp = `sweep trains a head for every combination of the options in sweep.axes, from the
features in the cache; all heads that share batches train in one pass. It
chooses by validation, or by cross-validation, trains the chosen options once
more, and only then looks at test, once.

  icebox sweep sweep.axes.lr='{log: [1e-4, 1e-1], steps: 7}' \
      sweep.axes.weight_decay='[0, 1e-4]'

Without axes, seeds and folds it tries 6 learning rates from 3e-4 to 1e-1 with
the weight decays 0, 1e-3 and 1e-2; for lbfgs 8 weight decays from 1e-3 to 3.

  sweep.axes     lr weight_decay batch_size optimizer schedule label_smoothing
                 class_weights input epochs train_fraction: lists, or ranges
                 {log: [a, b], steps: n} and {lin: [a, b], steps: n}; what is
                 not there is as the head section says
  sweep.method   grid is every combination; random draws sweep.trials points
                 (32) from the lists and ranges; halving starts with a few
                 epochs and goes on with the best third, up to head.epochs,
                 from sweep.trials points (the grid, or 27)
  sweep.metric   val_acc, val_loss, val_macro_f1 or val_balanced_acc; among
                 equals the lower val_loss
  sweep.seeds    heads of a point with seeds head.seed, head.seed+1, …; their
                 mean counts
  sweep.folds    cross-validation in the training images, stratified; groups
                 and copies stay together. Validation images then choose nothing
  sweep.refit    train the chosen options on training and validation images
                 together
  train_fraction trains on a share of each class: smaller shares lie within
                 larger ones

The run folder is that of the chosen head, for eval and predict. In it
sweep.csv and sweep.jsonl list every point, the best first, and points of which
a head diverged last. An interrupted or killed sweep keeps what it has in the
folder that it names at the start, and ` + "`icebox sweep --resume FOLDER`" + ` goes on
with the settings that it began with; the result is the same, to the bit. More
than 10,000 heads need --yes; 1,000,000 are the most.
`

// sweepFlags are the flags of the command.
type sweepFlags struct {
	rowsFlags
	resume    string
	confirmed bool
}

func (f *sweepFlags) addFlags(cmd *cobra.Command) {
	f.rowsFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.resume, "resume", "", "go on with the interrupted sweep in this `folder`")
	cmd.Flags().BoolVarP(&f.confirmed, "yes", "y", false, "train more than 10,000 heads, up to 1,000,000")
}

func (p *process) sweepCommand() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep [--features DIR] [--resume DIR] [key=value …]",
		Short: "Train many heads in one pass, keep the best",
		Long:  sweepHelp + featuresHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, run, err := f.read(p, cmd, args)
			if err != nil {
				return err
			}
			return p.sweep(cmd.Context(), o, run)
		},
	}
	f.addFlags(cmd)
	return cmd
}

// read finds the settings of a sweep: those of the command line, or those that the
// sweep to be resumed was begun with.
func (f *sweepFlags) read(p *process, cmd *cobra.Command, args []string) (pipeline.Options, pipeline.SweepRun, error) {
	run := pipeline.SweepRun{Confirmed: f.confirmed}
	var was pipeline.Choice
	if f.resume != "" {
		run.Resume = p.path(filepath.Clean(f.resume))
		var err error
		if was, err = pipeline.Interrupted(run.Resume); err != nil {
			return pipeline.Options{}, run, err
		}
		if f.file == "" {
			f.file = filepath.Join(run.Resume, "config.yaml")
		}
	}
	cfg, err := f.load(p, cmd, args)
	if err != nil {
		return pipeline.Options{}, run, err
	}
	run.Choice = f.choice
	if run.Resume == "" {
		run.Choice.KeepSplit, run.Choice.ByBackbone, run.Choice.Made = !cfg.Given("data.split"), cfg.Given("backbone"), cfg.Made()
	} else if run.Choice = was; f.choice.Features != "" {
		run.Choice.Features = f.choice.Features // it may have moved
	}
	o := p.options(cfg)
	if s := &o.Sweep; run.Resume == "" && len(s.Axes) == 0 && s.Seeds == 1 && s.Folds == 0 {
		s.Axes = sweep.DefaultAxes(o.Head.Optimizer)
		o.Output.Config = config.Write(o)
	}
	return o, run, nil
}

func (p *process) sweep(ctx context.Context, o pipeline.Options, run pipeline.SweepRun) error {
	bar := p.progress()
	sum, err := pipeline.RunSweep(ctx, o, run, bar)
	bar.finish()
	if sum == nil {
		return err
	}
	if err != nil {
		return sweepStopped(sum, err)
	}
	return p.printSummary(sum, func(w io.Writer) { sum.Text(w, p.style()) })
}

// sweepStopped adds to an error what is kept, and how to go on.
func sweepStopped(sum *report.SweepSummary, err error) error {
	kept := "nothing was kept of this sweep; the features stay where they are"
	if sum.InterruptedAt != "" {
		kept = fmt.Sprintf("%s trained and kept", words.Count(sum.Heads, "head"))
	}
	switch {
	case errors.Is(err, context.Canceled):
		err = interrupted(err, kept)
	case sum.InterruptedAt != "":
		err = fmt.Errorf("%w; %s", err, kept)
	}
	if sum.InterruptedAt == "" {
		return err
	}
	return journal.WithSteps(err, journal.Step{Do: journal.Resume, Dir: sum.InterruptedAt})
}
