package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// openSource finds what is to be trained on or judged: a folder of features, or a
// dataset of the cache, with the corrections that o names. It opens no image.
func openSource(ctx context.Context, o Options, c Choice, j *journal.Journal) (features.Source, error) {
	f, err := o.readCorrections()
	if err != nil {
		return nil, err
	}
	src, err := openGiven(ctx, o, c, corrections.PicturesOf(o.Data.Corrections), j)
	if err != nil {
		return nil, err
	}
	if err := correct(src, f, j); err != nil {
		src.Close()
		return nil, err
	}
	return src, nil
}

// openGiven is openSource without corrections, but with the pictures that are kept in a
// folder; "" is none.
func openGiven(ctx context.Context, o Options, c Choice, kept string, j *journal.Journal) (features.Source, error) {
	j.Stage("load")
	if c.Features != "" {
		j.Start("load", 0)
		return openFolder(ctx, o, c.Features, features.AvailableMemory(os.DirFS("/")), j)
	}
	choice := features.Choice{Dataset: c.Dataset, Space: c.Space, DType: cache.DType(o.Cache.DType), Split: o.Data.Split, KeepSplit: c.KeepSplit, Kept: kept, Made: o.made(c)}
	if c.ByBackbone {
		backbone := o.extractOptions()
		choice.Backbone = &backbone
	}
	src, err := features.OpenCached(ctx, o.Cache.Path, o.Cache.Wait, o.Data, choice, j)
	if err != nil {
		return nil, err
	}
	if src.Paged() {
		tellPaged(o, src.Bytes(), features.AvailableMemory(os.DirFS("/")), j)
	}
	return src, nil
}

// openFolder opens a folder of features, and says so if training would read most rows
// from the disk one by one. Available is the memory that there is; 0 is unknown.
func openFolder(ctx context.Context, o Options, dir string, available int64, j *journal.Journal) (features.Source, error) {
	f, err := features.OpenFolder(ctx, dir, o.Data.Name, available)
	if err != nil {
		return nil, err
	}
	if f.Paged() && available > 0 {
		tellPaged(o, f.Mapped(), available, j)
	}
	return f, nil
}

// tellPaged says, of features that memory cannot hold, if training would read most rows from
// the disk one by one.
func tellPaged(o Options, bytes, available int64, j *journal.Journal) {
	if h := o.Head; !h.Shuffle.IsZero() || h.Optimizer == headtrain.OptimizerLBFGS {
		return
	}
	const gib = 1 << 30
	j.Tell(fmt.Sprintf("the features take %.1f GiB, but there is memory for %.1f, and shuffled by rows nearly every row of an epoch is a read from the disk; to read in order",
		float64(bytes)/gib, float64(available)/gib), journal.SetTo("Head.Shuffle", headtrain.ShuffleBlocks))
}

// runSource finds the rows to judge or inspect the head of a run on: those that c names,
// or else those that it was trained on.
func runSource(ctx context.Context, o Options, c Choice, head *headtrain.Head, info runs.HeadInfo, j *journal.Journal) (features.Source, error) {
	if c.Features == "" {
		c.Features = info.Features
	}
	if c.Features == "" {
		o, c = o.adopt(info), c.ofRun(head, info)
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return openSource(ctx, o, c, j)
}

// CheckMade returns an error, a [headtrain.ErrFingerprint], if the head that i describes
// takes features that were made otherwise than o says in these fields, of those that
// [MadeBy] lists.
func (o Options) CheckMade(ctx context.Context, fields []string, i runs.HeadInfo) error {
	if i.Features != "" {
		return nil // nobody knows what made them
	}
	return o.made(Choice{Made: fields}).Check(ctx, features.Space{Fingerprint: i.Fingerprint, DType: i.DType, Weights: i.Weights})
}

// ofRun fills the empty fields of c with the dataset and the space of a run.
func (c Choice) ofRun(head *headtrain.Head, info runs.HeadInfo) Choice {
	c.KeepSplit = true
	if c.Dataset == "" {
		c.Dataset = info.Dataset
	}
	if c.Space == "" {
		c.Space = head.Fingerprint
	}
	return c
}

// joinLearned marks validation images as training images, if the head learned from them,
// too: they are not held out.
func joinLearned(ds *dataset.Dataset, info runs.HeadInfo) {
	if !info.Refit {
		return
	}
	for n := range ds.Items {
		if it := &ds.Items[n]; it.Part == dataset.Val {
			it.Part = dataset.Train
		}
	}
}

// isOwn reports whether rows are those that a head was trained on.
func isOwn(src features.Source, info runs.HeadInfo) bool {
	if folder := src.Origin().Folder; folder != "" {
		return folder == info.Features
	}
	return src.Dataset().Name == info.Dataset
}

// matchClasses gives the head's index of each class of a dataset, -1 of one that the head
// does not know. It returns an [ErrClasses] too where there are such, and no index at all
// where it knows none.
func matchClasses(of, head []string) ([]int32, error) {
	at := make([]int32, len(of))
	var unknown []string
	for i, c := range of {
		k := slices.Index(head, c)
		at[i] = int32(k)
		if k < 0 {
			unknown = append(unknown, c)
		}
	}
	if len(unknown) == len(of) {
		at = nil
	}
	if len(unknown) > 0 {
		return at, fmt.Errorf("%w: the head does not know %s; it knows %s", ErrClasses, words.List(unknown), words.List(head))
	}
	return at, nil
}

// ErrClasses is returned when a head and a dataset name different classes.
var ErrClasses = errors.New("classes differ")

// noImages is why a head that was trained on a folder of features is of no use for images.
func noImages(dir string, info runs.HeadInfo) error {
	err := fmt.Errorf("%w: the head in %s was trained on the features in %s, and what made those of an image is not known here", headtrain.ErrFingerprint, dir, info.Features)
	return journal.WithSteps(err, journal.Step{Do: journal.JudgeRows, Dir: dir})
}
