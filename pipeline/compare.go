package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
	one, err := a.heldOut(ctx, j)
	if err != nil {
		return nil, err
	}
	other, err := b.heldOut(ctx, j)
	if err != nil {
		return nil, err
	}
	return compare(one, other)
}

// compare holds two heads against each other.
func compare(a, b *heldOut) (*report.Comparison, error) {
	part := dataset.Test
	if len(a.images[part]) == 0 || len(b.images[part]) == 0 {
		part = dataset.Val
	}
	out := &report.Comparison{Part: part.String(), Differing: []report.Differing{}}
	var right [2][]bool
	for id, one := range a.images[part] {
		other, ok := b.images[part][id]
		if !ok {
			continue
		}
		right[0], right[1] = append(right[0], one.right()), append(right[1], other.right())
		if one.right() != other.right() {
			out.Differing = append(out.Differing, report.Differing{Path: one.Path, Label: one.Label, A: one.Predicted, ProbabilityA: one.Probability, B: other.Predicted, ProbabilityB: other.Probability})
		}
	}
	if len(right[0]) == 0 {
		return nil, fmt.Errorf("%w: there is no %s image that both %s and %s hold out", dataset.ErrData, part, a.run, b.run)
	}
	slices.SortFunc(out.Differing, func(x, y report.Differing) int {
		return cmp.Or(cmp.Compare(y.ProbabilityA+y.ProbabilityB, x.ProbabilityA+x.ProbabilityB), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Label, y.Label))
	})
	out.Paired = judge.Compare(right[0], right[1])
	out.Apart = len(a.images[part]) + len(b.images[part]) - 2*out.Rows
	out.AccA, out.AccB = shareOf(right[0]), shareOf(right[1])
	var err error
	if out.A, err = report.ReadListed(a.run); err != nil {
		return nil, err
	}
	out.B, err = report.ReadListed(b.run)
	return out, err
}

// heldOut is what a head says of the images that it has not learned from, by part.
type heldOut struct {
	run    string
	images map[dataset.Part]map[imageID]heldImage
}

// imageID tells images apart: by content, or, for rows of a folder of features that says
// nothing of it, by name. An image under two labels counts twice.
type imageID struct {
	hash        cache.Key
	name, class string
}

// heldImage is an image and the answer to it.
type heldImage struct{ report.Wrong }

func (h heldImage) right() bool { return h.Predicted == h.Label }

// open opens the rows of the run that are held out, and its head.
func (c Compared) open(ctx context.Context, j *journal.Journal) (src features.Source, head *headtrain.Head, info runs.HeadInfo, err error) {
	if head, info, err = runs.Head(c.Run); err != nil {
		return nil, nil, info, err
	}
	c.Options.Data.Corrections = "" // the same labels for both
	if src, err = runSource(ctx, c.Options, Choice{}, head, info, j); err != nil {
		return nil, nil, info, err
	}
	if err := src.Origin().Fits(head, c.Run); err != nil {
		src.Close()
		return nil, nil, info, err
	}
	joinLearned(src.Dataset(), info)
	return src, head, info, nil
}

func (c Compared) heldOut(ctx context.Context, j *journal.Journal) (*heldOut, error) {
	src, head, _, err := c.open(ctx, j)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return c.judge(ctx, src, head)
}

// judge has the head answer for what is held out.
func (c Compared) judge(ctx context.Context, src features.Source, head *headtrain.Head) (*heldOut, error) {
	at, err := matchClasses(src.Dataset().Classes, head.Classes)
	if err != nil {
		return nil, err
	}
	held := &heldOut{run: c.Run, images: map[dataset.Part]map[imageID]heldImage{}}
	return held, src.Guard(func() error { return held.add(ctx, src, head, at) })
}

// add judges the head on what is held out. At are its classes, as matchClasses gives them.
func (held *heldOut) add(ctx context.Context, src features.Source, head *headtrain.Head, at []int32) error {
	ds := src.Dataset()
	for _, part := range []dataset.Part{dataset.Val, dataset.Test} {
		rows, err := src.Rows(features.OfPart(part))
		if err != nil {
			return err
		}
		rows.Rename(at, head.Classes)
		answered, err := answer(ctx, head, rows, rows.Data.Labels)
		if err != nil {
			return err
		}
		held.images[part] = map[imageID]heldImage{}
		for n, i := range rows.Items {
			it := &ds.Items[i]
			id := imageID{hash: it.Hash, class: ds.Class(it)}
			if !it.Hashed() {
				id.name = it.Path
			}
			class, p, ofLabel := answered.answers.Of(n)
			held.images[part][id] = heldImage{report.Wrong{Path: ds.Display(it), Label: id.class, Predicted: head.Classes[class], Probability: p, OfLabel: ofLabel}}
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
