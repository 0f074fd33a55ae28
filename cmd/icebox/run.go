package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"icebox/pipeline"
)

func (p *process) runCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	var dryRun, retry bool
	cmd := &cobra.Command{
		Use:   "run [--data DIR] [key=value …]",
		Short: "Extract what is missing, train a head, evaluate it, write a run folder",
		Long: `run does it all: it scans the images, extracts the features that the cache lacks,
trains a head on them, evaluates it and writes a run folder.

The data is a folder of class folders (photos/<class>/a.jpg), which is then split; or a
folder that holds train, val and test, each with class folders; or a .csv manifest with
the columns path,label[,split,group].

Any key of the configuration can be given as key=value: icebox run head.epochs=20`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := s.options(p, args)
			if err != nil {
				return err
			}
			o.Extract.RetryFailed = o.Extract.RetryFailed || retry
			if dryRun {
				return p.forecast(cmd.Context(), c, o)
			}
			return p.run(cmd.Context(), c, o)
		},
	}
	s.addFlags(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done, and do nothing")
	cmd.Flags().BoolVar(&retry, "retry-failed", false, "try images again that are remembered as bad: the key extract.retry_failed")
	return cmd
}

func (p *process) run(ctx context.Context, c *common, o pipeline.Options) error {
	var sum *pipeline.RunSummary
	err := p.withWeights(ctx, c, func() (err error) {
		bar := p.progress(c)
		defer bar.finish()
		sum, err = pipeline.Run(ctx, o, bar)
		return err
	})
	return p.ranHead(c, sum, err, extractKept)
}

// extractKept is said when an extraction is interrupted.
const extractKept = "the features computed by then are kept; the same command goes on from there"

// interrupted adds to an interruption what it means for the work done.
func interrupted(err error, kept string) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted: %s%w", kept, silentCause{err})
	}
	return err
}

// silentCause is an error that is known by its class alone.
type silentCause struct{ error }

func (silentCause) Error() string   { return "" }
func (s silentCause) Unwrap() error { return s.error }

// ranHead prints the summary of a run, as far as it came, and passes err on; kept
// says what an interruption leaves.
func (p *process) ranHead(c *common, sum *pipeline.RunSummary, err error, kept string) error {
	err = interrupted(err, kept)
	if sum == nil {
		return err
	}
	if !c.quiet {
		p.printFeatures(&sum.Summary)
		if err == nil {
			p.printHead(sum)
		}
	}
	if c.json && err == nil {
		return p.printJSON(sum)
	}
	return err
}

// printFeatures says where the features came from and where the time went.
func (p *process) printFeatures(s *pipeline.Summary) {
	if s.Features != "" {
		p.say("features   %s rows of %d from %s", comma(s.Images), s.Dim, p.short(s.Features))
		return
	}
	if s.Hits+s.ImagesOpened+s.KnownBad == 0 {
		return
	}
	p.say("features   %s images: %s from the cache, %s computed; %s images opened, %s read",
		comma(s.Images), comma(s.Hits), comma(s.Computed), comma(s.ImagesOpened), humanize.Bytes(uint64(s.BytesRead)))
	if s.Quarantined > 0 {
		p.say("bad        %s images quarantined, the first: %s: %s", comma(s.Quarantined), s.Quarantine[0].Path, s.Quarantine[0].Reason)
		if s.KnownBad > 0 {
			p.say("           %s of them known from before and not tried again; --retry-failed does", comma(s.KnownBad))
		}
	}
	if s.Computed > 0 && s.Work.Seconds > 0 {
		p.say("rate       %.1f images/s on %s (%s), %d workers; %s", float64(s.Computed)/s.Work.Seconds, s.Engine, s.ISA, s.Work.Workers, whereTimeWent(s.Work))
	}
}

// whereTimeWent gives the shares of the workers' time, and the knob that the
// largest one answers to.
func whereTimeWent(w pipeline.Work) string {
	all := w.Read + w.Hash + w.Decode + w.Forward + w.Write
	if all == 0 {
		return ""
	}
	share := func(f float64) float64 { return 100 * f / all }
	text := fmt.Sprintf("time: read %.0f %%, hash %.0f %%, decode %.0f %%, backbone %.0f %%, cache %.0f %%",
		share(w.Read), share(w.Hash), share(w.Decode), share(w.Forward), share(w.Write))
	switch {
	case share(w.Read) > 50:
		text += " (a faster disk, or a larger extract.workers, would help)"
	case share(w.Write) > 50:
		text += " (a faster disk for cache.path would help)"
	}
	return text
}

// printHead says how good the head is and where it lies.
func (p *process) printHead(s *pipeline.RunSummary) {
	p.say("training   %s on %s rows, %s each%s; train loss %.4g, accuracy %s", s.Course(), comma(s.TrainRows), pipeline.Millis(s.EpochSeconds), s.Rate(), s.TrainLoss, percent(&s.TrainAcc))
	p.say("accuracy   val %s (%s images), test %s (%s images)", percent(s.ValAcc), comma(s.ValRows), percent(s.TestAcc), comma(s.TestRows))
	if b := s.Baseline; b != nil {
		p.say("baseline   %s: %s%s, without anything to tune", b.Name, percent(&b.Accuracy), pipeline.BaselineSample(b))
	}
	if s.RandomWeights {
		p.say("           with random weights: these numbers say that icebox works, not how good a classifier can be")
	}
	p.say("run        %s", p.short(*s.RunDir))
	p.say("took       %.2f s", s.Seconds)
}

func comma(n int) string { return humanize.Comma(int64(n)) }

func percent(f *float64) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", 100**f)
}

// forecast prints what a run would do.
func (p *process) forecast(ctx context.Context, c *common, o pipeline.Options) error {
	var f *pipeline.Forecast
	err := p.withWeights(ctx, c, func() (err error) {
		f, err = pipeline.Plan(ctx, o, pipeline.Silent)
		return err
	})
	if err != nil {
		return err
	}
	s := &f.Summary
	if !c.quiet {
		for _, w := range s.Warnings {
			p.say("note: %s", w)
		}
		p.say("dataset    %s: %s images, %d classes (train %d, val %d, test %d, to be split %d)", s.Dataset, comma(s.Images), len(f.Classes),
			f.Parts["train"], f.Parts["val"], f.Parts["test"], f.Parts[""])
		p.say("features   %s in the cache; %s images (%s) would be opened", comma(s.Hits), comma(f.ToExtract), humanize.Bytes(uint64(f.ImageBytes)))
		if f.ToExtract > 0 && f.ImagesPerSec == 0 {
			p.say("the time could not be measured: the images tried are bad")
		} else if f.ToExtract > 0 {
			p.say("would take about %v at %.1f images/s, and %s in %s", time.Duration(f.Seconds*float64(time.Second)).Round(time.Second),
				f.ImagesPerSec, humanize.Bytes(uint64(f.CacheBytes)), p.short(o.Cache.Path))
		}
		p.say("nothing was written")
	}
	if c.json {
		return p.printJSON(f)
	}
	return nil
}
