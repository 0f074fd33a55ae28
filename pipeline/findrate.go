package pipeline

import (
	"context"
	"strconv"

	"icebox/headtrain"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
)

// FindRate looks for a learning rate to start from, as [headtrain.FindLR] does, for
// the head and on the training rows that [Train] would take. It writes nothing.
func FindRate(ctx context.Context, o Options, c Choice, p Progress) (s *report.RateSummary, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, err := openSource(ctx, o, c, j)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	err = src.Guard(func() error {
		if s, err = findRate(ctx, src, o, j); err != nil {
			return err
		}
		return src.Intact()
	})
	return s, err
}

func findRate(ctx context.Context, src features.Source, o Options, j *journal.Journal) (*report.RateSummary, error) {
	if err := src.Dataset().Trainable(o.Data.MaxClasses); err != nil {
		return nil, err
	}
	j.Stage("gather")
	parts, err := gatherParts(src, j)
	if err == nil {
		err = o.check(src, parts, 0)
	}
	if err != nil {
		return nil, err
	}
	j.Stage("find")
	engine, err := o.headEngine()
	if err != nil {
		return nil, err
	}
	s := &report.RateSummary{TrainRows: parts.train.Len()}
	var best float64
	best, s.Tried, err = headtrain.FindLR(ctx, engine.Trainer, headtrain.Job{Train: parts.train.Data, Heads: []headtrain.Options{o.Head}})
	if err != nil {
		return nil, err
	}
	s.Summary = *summaryOf(src, j)
	s.LR, err = strconv.ParseFloat(strconv.FormatFloat(best, 'g', 3, 64), 64)
	return s, err
}
