package pipeline

import (
	"context"
	"fmt"
	"os"

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
	src, err := extractFeatures(ctx, o, scanToTrain, j)
	if src != nil {
		defer src.Close()
	}
	return summaryOf(src, j), err
}

// extractFeatures is the first stage of a program: it scans images and computes the
// features that the cache lacks. Whatever ends it, what is done by then is kept. The
// source is nil where nothing is known yet.
func extractFeatures(ctx context.Context, o Options, scan scanner, j *journal.Journal) (features.Source, error) {
	j.Stage("open")
	store, err := features.OpenStore(o.Cache.Path, j)
	if err != nil {
		return nil, err
	}
	computer, err := features.OpenComputer(ctx, o.extractOptions(), store, o.featureOptions(), j)
	if err != nil {
		store.Close()
		return nil, err
	}
	defer computer.Close()
	found, err := scan(ctx, o, store, j)
	if err != nil {
		store.Close()
		return nil, err
	}
	return computer.Features(ctx, found.ds, found.earlier, found.purpose)
}

// scanner lists the images that a program is about.
type scanner func(context.Context, Options, *features.Store, *journal.Journal) (scanned, error)

// scanned is a dataset as its sources are now.
type scanned struct {
	ds      *dataset.Dataset
	earlier *dataset.Dataset // as the cache has it; nil if it has not
	purpose dataset.Purpose
}

// scanToTrain lists images that heads may be trained on.
func scanToTrain(ctx context.Context, o Options, store *features.Store, j *journal.Journal) (scanned, error) {
	return scan(ctx, o.Data, dataset.ForTraining, store, j)
}

// scanTrainable is scanToTrain for a program that trains. It finds out early what would
// fail late.
func scanTrainable(ctx context.Context, o Options, store *features.Store, j *journal.Journal) (scanned, error) {
	found, err := scanToTrain(ctx, o, store, j)
	if err != nil {
		return found, err
	}
	j.Stage("check")
	return found, checkTrainable(found.ds, o.Output.Dir)
}

// scanToJudge lists images that a head is judged on. Those that it may have been trained
// on, because the cache has a dataset of the same sources, are in the parts that they have
// there.
func scanToJudge(ctx context.Context, o Options, store *features.Store, j *journal.Journal) (scanned, error) {
	found, err := scan(ctx, o.Data, dataset.ForEvaluation, store, j)
	if err != nil {
		return found, err
	}
	twin, err := dataset.Twin(store, found.ds)
	if twin != nil {
		found.earlier = twin
	}
	if found.earlier != nil {
		found.ds.Split = found.earlier.Split
	}
	return found, err
}

func scan(ctx context.Context, o dataset.Options, p dataset.Purpose, store *features.Store, j *journal.Journal) (scanned, error) {
	j.Stage("scan")
	j.Start("scan", 0)
	ds, err := dataset.Scan(ctx, o)
	if err != nil {
		return scanned{}, err
	}
	for _, n := range ds.Notes {
		j.Note(n.Text, n.Steps...)
	}
	earlier, err := ds.NameAmong(store, p, o.Name)
	if err != nil {
		return scanned{}, err
	}
	if earlier != nil && earlier.Sources.Train != ds.Sources.Train {
		j.Note(fmt.Sprintf("dataset %s was of %s and is of %s now", ds.Name, earlier.Sources.Train, ds.Sources.Train))
	}
	ds.Split = o.Split
	return scanned{ds, earlier, p}, nil
}

// checkTrainable refuses classes that cannot be learned, and an output folder that
// cannot be written.
func checkTrainable(ds *dataset.Dataset, dir string) error {
	if err := ds.Trainable(); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// summaryOf says what was done with the features of src, as far as they are known.
func summaryOf(src features.Source, j *journal.Journal) *report.Summary {
	s := &report.Summary{Log: j.Log()}
	if src != nil {
		s.Found, s.Work = src.Found(), src.Work()
	}
	return s
}
