package pipeline

import (
	"context"
	"fmt"

	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
)

// Extract brings the features of o.Data's images into the cache. On an error, the
// summary says how far it came.
func Extract(ctx context.Context, o Options, p Progress) (*report.Summary, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, work, err := extractFeatures(ctx, o, trainingImages, anyImages, j)
	if src != nil {
		defer src.Close()
	}
	return summaryOf(src, work, j), err
}

// images says which images a program is about: what the cache keeps them for, and
// what they are known by there.
type images struct {
	purpose   dataset.Purpose
	ofRun     bool // judged by a run: parts are those that the training knows them by
	keepSplit bool
}

var (
	trainingImages = images{purpose: dataset.ForTraining}
	judgedImages   = images{purpose: dataset.ForEvaluation, ofRun: true, keepSplit: true}
)

// anyImages refuses no dataset.
func anyImages(*dataset.Dataset) error { return nil }

// extractFeatures is the first stage of a program: it scans the images of o.Data, lets
// check look at them, and computes the features that the cache lacks. Whatever ends it,
// what is done by then is kept. The source is nil where nothing is known yet.
func extractFeatures(ctx context.Context, o Options, im images, check func(*dataset.Dataset) error, j *journal.Journal) (features.Source, features.Work, error) {
	j.Stage("open")
	store, err := features.OpenStore(o.Cache.Path, j)
	if err != nil {
		return nil, features.Work{}, err
	}
	src, work, err := im.extract(ctx, o, store, check, j)
	if src == nil {
		store.Close()
	}
	return src, work, err
}

func (im images) extract(ctx context.Context, o Options, store *features.Store, check func(*dataset.Dataset) error, j *journal.Journal) (features.Source, features.Work, error) {
	computer, err := features.OpenComputer(ctx, o.extractOptions(), store, o.featureOptions(), j)
	if err != nil {
		return nil, features.Work{}, err
	}
	defer computer.Close()
	j.Stage("scan")
	ds, earlier, err := im.scan(ctx, o.Data, store, j)
	if err != nil {
		return nil, features.Work{}, err
	}
	j.Stage("check")
	if err := check(ds); err != nil {
		return nil, features.Work{}, err
	}
	return computer.Features(ctx, ds, earlier, im.purpose)
}

// scan lists the images and returns, beside the dataset, what the cache knows of it.
func (im images) scan(ctx context.Context, o dataset.Options, store *features.Store, j *journal.Journal) (ds, earlier *dataset.Dataset, err error) {
	j.Start("scan", 0)
	if ds, err = dataset.Scan(ctx, o); err != nil {
		return nil, nil, err
	}
	for _, n := range ds.Notes {
		j.Note(n.Text, n.Steps...)
	}
	if earlier, err = ds.NameAmong(store, im.purpose, o.Name); err != nil {
		return nil, nil, err
	}
	if earlier != nil && earlier.Sources.Train != ds.Sources.Train {
		j.Note(fmt.Sprintf("dataset %s was of %s and is of %s now", ds.Name, earlier.Sources.Train, ds.Sources.Train))
	}
	if im.ofRun {
		trained, err := dataset.Twin(store, ds)
		if err != nil {
			return nil, nil, err
		}
		if trained != nil {
			earlier = trained
		}
	}
	ds.Split = o.Split
	if im.keepSplit && earlier != nil {
		ds.Split = earlier.Split
	}
	return ds, earlier, nil
}

// summaryOf says what was done with the features of src, as far as they are known.
func summaryOf(src features.Source, work features.Work, j *journal.Journal) *report.Summary {
	s := &report.Summary{Work: work, Log: j.Log()}
	if src != nil {
		s.Found = src.Found()
	}
	return s
}
