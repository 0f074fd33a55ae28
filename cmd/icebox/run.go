package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"icebox/cache"
	"icebox/pipeline"
	"icebox/pipeline/report"
)

// extraction are the flags of a command that opens images.
type extraction struct {
	settings
	dryRun, retry bool
}

func (x *extraction) addFlags(cmd *cobra.Command) {
	x.settings.addFlags(cmd)
	cmd.Flags().BoolVar(&x.dryRun, "dry-run", false, "say what would be done, and do nothing")
	cmd.Flags().BoolVar(&x.retry, "retry-failed", false, "try images again that are remembered as bad: the key extract.retry_failed")
}

// command runs work with the options that args and flags give, or says what it would do.
func (x *extraction) command(p *process, work func(context.Context, pipeline.Options) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		o, err := x.options(p, args)
		if err != nil {
			return err
		}
		o.Extract.RetryFailed = o.Extract.RetryFailed || x.retry
		if x.dryRun {
			return p.forecast(cmd.Context(), o)
		}
		return work(cmd.Context(), o)
	}
}

func (p *process) runCommand() *cobra.Command {
	var x extraction
	cmd := &cobra.Command{
		Use:   "run [--data DIR] [key=value …]",
		Short: "Extract what is missing, train a head, judge it",
		Long: `run does it all: it scans the images, extracts the features that the cache
lacks, trains a head on them, evaluates it and writes a run folder.

The data is a folder of class folders (photos/<class>/a.jpg), which is then
split; or a folder that holds train, val and test, each with class folders; or
a table (.csv, .tsv, .jsonl) with the columns path,label[,split,group].

The weight decay of the head is chosen on images that it does not learn from.
head.tune=off trains it as the keys say: Adam, lr 1e-3, 10 epochs.

Any key of the configuration can be given as key=value:

  icebox run --data photos head.tune=off head.epochs=20`,
		RunE: x.command(p, p.run),
	}
	x.addFlags(cmd)
	return cmd
}

func (p *process) run(ctx context.Context, o pipeline.Options) error {
	bar := p.progress()
	o.Fetch = p.fetcher(bar)
	sum, err := pipeline.Run(ctx, o, bar)
	bar.finish()
	return p.ranHead(sum, err, extractKept)
}

// extractKept is said when an extraction is interrupted.
const extractKept = "the features computed by then are kept; the same command goes on from there"

// interrupted adds to an interruption what it means for the work done.
func interrupted(err error, kept string) error {
	if errors.Is(err, context.Canceled) {
		for _, lost := range []error{cache.ErrLocked, cache.ErrFull} {
			if errors.Is(err, lost) {
				kept = fmt.Sprintf("what was computed since the last commit is not kept (%v)", lost)
			}
		}
		return fmt.Errorf("interrupted: %s%w", kept, silentCause{err})
	}
	return err
}

// silentCause is an error that is known by its class alone.
type silentCause struct{ error }

func (silentCause) Error() string   { return "" }
func (s silentCause) Unwrap() error { return s.error }

// style is how this program names paths and says what to do next.
func (p *process) style() report.Style { return report.Style{Path: p.short, Words: p.words} }

// ranHead prints the summary of a run, as far as it came, and passes err on; kept
// says what an interruption leaves.
func (p *process) ranHead(sum *report.RunSummary, err error, kept string) error {
	if err != nil {
		p.cameTo(sum)
		return interrupted(err, kept)
	}
	return p.printSummary(sum, func(w io.Writer) { sum.Text(w, p.style()) })
}

// cameTo prints the features that a program came to which failed. They are a result for
// people alone: with --json, the error is the result.
func (p *process) cameTo(sum *report.RunSummary) {
	if sum != nil && !p.json {
		_ = p.printSummary(sum, func(w io.Writer) { sum.Summary.Text(w, p.style()) }) // the error matters more
	}
}
