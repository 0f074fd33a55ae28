package pipeline

import (
	"context"
	"fmt"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/insight"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// Inspect looks at the images of the run in dir, as the cache has them: which labels
// to doubt, which images are there twice, what more of them would bring. Of a head
// that was trained on a folder of features it is the rows of that folder, or else of
// c.Features. Near is the cosine from which on images count as near copies. It opens
// no image and writes its findings to the run folder.
func Inspect(ctx context.Context, dir string, o Options, c Choice, near float64, p Progress) (*report.Insight, error) {
	head, info, err := runs.Head(dir)
	if err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, err := runSource(ctx, o, c, head, info, j)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return inspectRun(ctx, dir, src, head, info, near, j)
}

// inspectRun is [Inspect] with a source that is open.
func inspectRun(ctx context.Context, dir string, src features.Source, head *headtrain.Head, info runs.HeadInfo, near float64, j *journal.Journal) (*report.Insight, error) {
	if !(near > 0 && near <= 1) {
		return nil, fmt.Errorf("near (%v) must be a cosine above 0, up to 1", near)
	}
	j.Stage("read")
	if err := src.Origin().Fits(head, dir); err != nil {
		return nil, err
	}
	i := &report.Insight{Run: dir, Classes: head.Classes}
	if err := src.Guard(func() error { return inspect(ctx, i, src, head, info, near, j) }); err != nil {
		return nil, err
	}
	j.Stage("write")
	i.Summary = *summaryOf(src, j)
	return i, i.Write(dir)
}

// inspect fills i.
func inspect(ctx context.Context, i *report.Insight, src features.Source, head *headtrain.Head, info runs.HeadInfo, near float64, j *journal.Journal) error {
	if isOwn(src, info) {
		joinLearned(src.Dataset(), info)
	}
	rows, err := labelledRows(src, head)
	if err != nil {
		return err
	}
	options, err := judgeOptions(head)
	if err != nil {
		return err
	}
	findings, err := insight.Inspect(ctx, insightSet(src.Dataset(), rows), insight.Options{Near: float32(near), Head: options}, j)
	if err != nil {
		return err
	}
	j.Stage("errors")
	i.Findings, i.Quality = *findings, qualityOf(src)
	if i.WorstOf, i.Worst, err = worst(ctx, src.Dataset(), rows, head); err != nil {
		return err
	}
	return src.Intact()
}

// labelledRows are all labelled rows of a source, with the labels of the head.
func labelledRows(src features.Source, head *headtrain.Head) (*features.Rows, error) {
	ds := src.Dataset()
	classes, err := matchClasses(ds.Classes, head.Classes)
	if err != nil {
		return nil, err
	}
	rows, err := src.Rows(features.All)
	if err != nil {
		return nil, err
	}
	if rows.Len() == 0 {
		return nil, fmt.Errorf("%w: no labelled image of %s has a feature", features.ErrNotExtracted, ds.Name)
	}
	rows.Rename(classes, head.Classes)
	return rows, nil
}

// judgeOptions are those of the heads that look at the data: linear ones, which are quick
// and tell enough, trained for as long as the run's head was.
func judgeOptions(head *headtrain.Head) (headtrain.Options, error) {
	o, epochs, err := head.Trained()
	o.Epochs = epochs
	o.Kind, o.Hidden, o.Dropout = headtrain.KindLinear, 0, 0
	o.EarlyStopping = headtrain.EarlyStopping{}
	return o, err
}

// insightSet is what an insight knows of rows.
func insightSet(ds *dataset.Dataset, rows *features.Rows) *insight.Set {
	s := &insight.Set{Data: rows.Data, Images: make([]insight.Image, rows.Len())}
	for r, i := range rows.Items {
		it := &ds.Items[i]
		ref := insight.Ref{Path: ds.Display(it), Part: it.Part.String(), Label: rows.Data.Classes[rows.Data.Labels[r]]}
		s.Images[r] = insight.Image{Ref: ref, Hash: it.Hash, Group: it.Group, Confirmed: ds.Corrected != nil && ds.Corrected.Confirmed[i]}
	}
	return s
}

// worst lists the surest mistakes of the head on what it was not trained on.
func worst(ctx context.Context, ds *dataset.Dataset, rows *features.Rows, head *headtrain.Head) (part string, wrong []report.Wrong, err error) {
	for _, p := range []dataset.Part{dataset.Test, dataset.Val} {
		var places []int32
		for r, i := range rows.Items {
			if ds.Items[i].Part == p {
				places = append(places, int32(r))
			}
		}
		if len(places) > 0 {
			held := rows.At(places)
			answered, err := answer(ctx, head, held, held.Data.Labels)
			if err != nil {
				return "", nil, err
			}
			return p.String(), report.WrongIn(ds, held, answered.answers), nil
		}
	}
	return "", nil, nil
}
