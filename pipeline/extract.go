package pipeline

import (
	"context"
	"errors"
	"fmt"

	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// Extract brings the features of o.Data's images into the cache. On an error, the
// summary says how far it came.
func Extract(ctx context.Context, o Options, p Progress) (*report.Summary, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, err := extractFeatures(ctx, o, toExtract, j)
	if src != nil {
		defer src.Close()
	}
	return summaryOf(src, j), err
}

// aim is what a program lists images for.
type aim int

const (
	toExtract aim = iota // heads may be trained on them
	toTrain              // a head is trained on them at once: what would fail late is found out early
	toJudge              // a head is judged on them
)

// purpose is what the dataset is kept for.
func (a aim) purpose() dataset.Purpose {
	if a == toJudge {
		return dataset.ForEvaluation
	}
	return dataset.ForTraining
}

// extractFeatures is the first stage of a program: it scans images and computes the
// features that the cache lacks. The images come first, so that nobody fetches weights for
// a folder that is no use. Whatever ends it, what is done by then is kept. The source is
// nil where nothing is known yet.
func extractFeatures(ctx context.Context, o Options, a aim, j *journal.Journal) (features.Source, error) {
	var f *corrections.File
	if a != toExtract {
		var err error
		if f, err = o.readCorrections(); err != nil {
			return nil, err
		}
	}
	in, err := openInputs(ctx, o, a, j)
	if err != nil {
		return nil, err
	}
	defer in.computer.Close()
	if kept := corrections.PicturesOf(o.Data.Corrections); kept != "" && a != toJudge {
		if err := in.ds.AddKept(kept); err != nil {
			in.store.Close()
			return nil, err
		}
	}
	src, err := in.computer.Features(ctx, in.ds, in.earlier, a.purpose())
	if err == nil {
		err = correct(src, f, j)
	}
	if src == nil {
		return nil, err // no interface of a nil source
	}
	if err == nil && f != nil && a == toTrain {
		err = src.Dataset().Trainable(o.Data.MaxClasses)
	}
	return src, err
}

// inputs are what a program that computes features works with.
type inputs struct {
	ds       *dataset.Dataset
	earlier  *dataset.Dataset // as the cache has it; nil if it has not
	store    *features.Store
	computer *features.Computer
}

// openInputs opens the cache, scans the images, and then opens the backbone.
func openInputs(ctx context.Context, o Options, a aim, j *journal.Journal) (in inputs, err error) {
	j.Stage("open")
	if in.store, err = features.OpenStore(ctx, o.Cache.Path, o.Cache.Wait, j); err != nil {
		return in, err
	}
	if in.ds, err = scan(ctx, o, a, in.store, j); err != nil {
		in.store.Close()
		return in, err
	}
	j.Stage("weights")
	if in.earlier, err = recognise(in.ds, o.Data, a, in.store, j); err == nil {
		in.computer, err = features.OpenComputer(ctx, o.extractOptions(), in.store, o.featureOptions(), j)
	}
	if err != nil {
		in.store.Close()
	}
	return in, err
}

// scan lists the images of o and says what is odd about them.
func scan(ctx context.Context, o Options, a aim, store *features.Store, j *journal.Journal) (*dataset.Dataset, error) {
	j.Stage("scan")
	j.Start("scan", 0)
	ds, err := dataset.Scan(ctx, o.Data, store)
	if err != nil {
		return nil, err
	}
	for _, n := range ds.Notes {
		j.Note(n.Text, n.Steps...)
	}
	if a == toTrain {
		j.Stage("check")
		if o.Data.Corrections != "" { // they may bring the labels that are wanting
			return ds, runs.CheckWritable(o.Output.Dir)
		}
		err = checkTrainable(ds, o)
	}
	return ds, err
}

// recognise names ds and returns it as the cache has it; nil if it has not. Images to
// judge on that a head may have been trained on, because the cache has a dataset of the
// same sources, are in the parts that they have there.
func recognise(ds *dataset.Dataset, o dataset.Options, a aim, store *features.Store, j *journal.Journal) (*dataset.Dataset, error) {
	earlier, err := ds.NameAmong(store, a.purpose(), o.Name)
	if errors.Is(err, dataset.ErrDocument) {
		j.Note(fmt.Sprintf("what the cache has of dataset %s cannot be read and is written anew; no feature is lost, but images that icebox split off may change their part: %v", ds.Name, err))
		earlier, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if earlier != nil && earlier.Sources.String() != ds.Sources.String() {
		j.Note(fmt.Sprintf("dataset %s was of %s and is of %s now", ds.Name, earlier.Sources, ds.Sources))
	}
	ds.Split = o.Split
	if a != toJudge {
		noteChanges(ds, earlier, j)
		return earlier, nil
	}
	twin, err := dataset.Twin(store, ds)
	if twin != nil {
		earlier = twin
	}
	if earlier != nil {
		ds.Split = earlier.Split
	}
	return earlier, err
}

// noteChanges says how a dataset differs from what the cache has of it.
func noteChanges(ds, earlier *dataset.Dataset, j *journal.Journal) {
	if earlier == nil {
		return
	}
	if c := ds.Since(earlier); c.Any() {
		j.Note(fmt.Sprintf("since the last time: %v", c))
	}
}

// checkTrainable finds out early what would fail late: classes that cannot be learned, and
// an output folder that cannot be made or written to.
func checkTrainable(ds *dataset.Dataset, o Options) error {
	if err := ds.Trainable(o.Data.MaxClasses); err != nil {
		return err
	}
	return runs.CheckWritable(o.Output.Dir)
}

// summaryOf says what was done with the features of src, as far as they are known.
func summaryOf(src features.Source, j *journal.Journal) *report.Summary {
	s := &report.Summary{Log: j.Finish()}
	if src != nil {
		s.Found, s.Work = src.Found(), src.Work()
	}
	return s
}
