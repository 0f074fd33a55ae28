package pipeline

import (
	"context"
	"fmt"

	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// Run extracts the features that are missing, trains a head on them, judges it and writes
// a run folder. On an error past the check of o, the summary says how far it came.
func Run(ctx context.Context, o Options, p Progress) (*report.RunSummary, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, err := extractFeatures(ctx, o, toTrain, j)
	if src != nil {
		defer src.Close()
	}
	if err != nil {
		return featuresOnly(src, j), err
	}
	return trainOn(ctx, src, o, j)
}

// Train is Run without its first stage: it takes the features from the cache alone, or
// from c.Features. Where the images are at hand it stats them and says what has changed,
// and opens none.
func Train(ctx context.Context, o Options, c Choice, p Progress) (*report.RunSummary, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, err := openSource(ctx, o, c, j)
	if err != nil {
		return featuresOnly(nil, j), err
	}
	defer src.Close()
	j.Stage("check")
	if err := checkTrainable(src.Dataset(), o); err != nil {
		return featuresOnly(src, j), err
	}
	return trainOn(ctx, src, o, j)
}

// trainOn is the second stage: it trains the head that o asks for on the rows of a source.
func trainOn(ctx context.Context, src features.Source, o Options, j *journal.Journal) (sum *report.RunSummary, err error) {
	err = src.Guard(func() (err error) {
		sum, err = trainGuarded(ctx, src, o, j)
		return err
	})
	if err != nil {
		sum = featuresOnly(src, j)
	}
	return sum, err
}

func trainGuarded(ctx context.Context, src features.Source, o Options, j *journal.Journal) (*report.RunSummary, error) {
	j.Stage("gather")
	parts, err := gatherParts(src, j)
	if err == nil {
		err = o.check(src, parts, 0)
	}
	if err != nil {
		return nil, err
	}
	t, err := o.tuned(ctx, src.Dataset(), task{options: o.Head, parts: parts, fraction: 1, unseen: validationRows{parts.val}}, j)
	if err != nil {
		return nil, err
	}
	if o.Refit && (t.tuning == nil || t.tuning.Note != "") {
		t = o.refitted(src.Dataset(), t)
	}
	tidy(o.Output.Dir, j)
	dir, err := runs.New(o.recorded(t), src.Dataset().Name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	rep, err := trainTracked(ctx, t, src, dir, o, j)
	if err != nil {
		return nil, err
	}
	return &rep.Summary, nil
}

// tidy takes away what killed runs left in the folder of runs, and says so.
func tidy(dir string, j *journal.Journal) {
	if gone := runs.Tidy(dir); len(gone) > 0 {
		j.Tell(fmt.Sprintf("removed what %s left that did not end: %s", words.Count(len(gone), "run"), words.List(gone)))
	}
}

// featuresOnly is the summary of a run that came no further than its features.
func featuresOnly(src features.Source, j *journal.Journal) *report.RunSummary {
	return &report.RunSummary{Summary: *summaryOf(src, j)}
}
