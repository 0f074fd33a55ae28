package pipeline

import (
	"context"
	"fmt"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// Compared is a run to compare, and the options with the cache that its features lie in.
type Compared struct {
	Run     string
	Options Options
}

// Compare judges the heads of two runs on the same images: those that both hold out for
// test, or, where a run has no test images, for validation. Images are the same if their
// bytes are. It opens no image.
func Compare(ctx context.Context, a, b Compared, p Progress) (*report.Comparison, error) {
	j := journal.New(p, a.Options.Words)
	var held [2]heldOut
	for i, c := range []Compared{a, b} {
		var err error
		if held[i], err = c.heldOut(ctx, j); err != nil {
			return nil, err
		}
	}
	part := dataset.Test
	if len(held[0][part]) == 0 || len(held[1][part]) == 0 {
		part = dataset.Val
	}
	out := &report.Comparison{Part: part.String()}
	var right [2][]bool
	for image, one := range held[0][part] {
		if other, ok := held[1][part][image]; ok {
			right[0], right[1] = append(right[0], one), append(right[1], other)
		}
	}
	if len(right[0]) == 0 {
		return nil, fmt.Errorf("%w: there is no %s image that both %s and %s hold out", dataset.ErrData, part, a.Run, b.Run)
	}
	out.Paired = judge.Compare(right[0], right[1])
	out.Apart = len(held[0][part]) + len(held[1][part]) - 2*out.Rows
	out.AccA, out.AccB = shareOf(right[0]), shareOf(right[1])
	var err error
	if out.A, err = report.ReadListed(a.Run); err != nil {
		return nil, err
	}
	out.B, err = report.ReadListed(b.Run)
	return out, err
}

// heldOut says of each image that a head has not learned from, by part, whether the head is
// right.
type heldOut map[dataset.Part]map[imageID]bool

// imageID tells images apart: by content, or, for rows of a folder of features that says
// nothing of it, by name. An image under two labels counts twice.
type imageID struct {
	hash        cache.Key
	name, class string
}

func (c Compared) heldOut(ctx context.Context, j *journal.Journal) (heldOut, error) {
	head, info, err := runs.Head(c.Run)
	if err != nil {
		return nil, err
	}
	c.Options.Data.Corrections = "" // the same labels for both
	src, err := runSource(ctx, c.Options, Choice{}, head, info, j)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if err := src.Origin().Fits(head, c.Run); err != nil {
		return nil, err
	}
	ds := src.Dataset()
	joinLearned(ds, info)
	at, err := matchClasses(ds.Classes, head.Classes)
	if err != nil {
		return nil, err
	}
	held := heldOut{}
	err = src.Guard(func() error { return held.add(ctx, src, head, at) })
	return held, err
}

// add judges the head on what is held out. At are its classes, as matchClasses gives them.
func (held heldOut) add(ctx context.Context, src features.Source, head *headtrain.Head, at []int32) error {
	ds := src.Dataset()
	for _, part := range []dataset.Part{dataset.Val, dataset.Test} {
		rows, err := src.Rows(features.OfPart(part))
		if err != nil {
			return err
		}
		rows.Rename(at, head.Classes)
		judged, err := judgePart(ctx, part.String(), head, rows)
		if err != nil {
			return err
		}
		held[part] = map[imageID]bool{}
		if judged.answers == nil {
			continue
		}
		for n, right := range judged.answers.Right() {
			it := &ds.Items[rows.Items[n]]
			id := imageID{hash: it.Hash, class: ds.Class(it)}
			if !it.Hashed() {
				id.name = it.Path
			}
			held[part][id] = right
		}
	}
	return src.Intact()
}

// shareOf is how many are true, from 0 to 1.
func shareOf(right []bool) float64 {
	n := 0
	for _, r := range right {
		if r {
			n++
		}
	}
	return float64(n) / float64(len(right))
}
