package pipeline

import (
	"context"
	"fmt"

	"icebox/headtrain/probe"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

// leakWork bounds the search for leaks, in multiplications: beyond it nobody waits for it,
// and an inspection finds them. It is enough for 10,000 images beside 90,000.
const leakWork = 5e11

// leaksVersion names how leaks are found.
const leaksVersion = 1

// leaksOf counts the held-out images that have a near copy among those that the head has
// learned from: by these, its numbers are too good. The held-out images are those of the
// part that it is reported on. It returns nil where there are none, or too many.
func leaksOf(ctx context.Context, src features.Source, p parts) (*report.Leaks, error) {
	on, part := p.test, dataset.Test
	if on.Len() == 0 {
		on, part = p.val, dataset.Val
	}
	d := p.train.Data
	if on.Len() == 0 || d.Paged || float64(p.train.Len())*float64(on.Len())*float64(d.Dim) > leakWork {
		return nil, nil
	}
	found := &report.Leaks{Part: part.String(), Of: on.Len()}
	mem, ok := src.(memory)
	if !ok {
		var err error
		found.Images, err = probe.Leaks(ctx, d, on.Data, probe.NearCosine)
		return found, err
	}
	memo := rowsMemo[int]{memory: mem, name: "leaks", version: leaksVersion, key: rowsKey(src.Dataset(), p.train, nil, on)}
	if known := memo.recall(); known != nil {
		found.Images = *known
		return found, nil
	}
	var err error
	if found.Images, err = probe.Leaks(ctx, d, on.Data, probe.NearCosine); err == nil {
		memo.keep(&found.Images)
	}
	return found, err
}

// noteLeaks says how many held-out images are too easy, and what helps.
func noteLeaks(l *report.Leaks, split dataset.Split, j *journal.Journal) {
	if l == nil || l.Images == 0 {
		return
	}
	steps, what := []journal.Step{{Do: journal.Inspect}}, "to list them"
	if !split.Near && split != (dataset.Split{}) {
		steps, what = append(steps, journal.SetTo("Data.Split.Near", true)), "to list them, or to keep copies in one part"
	}
	j.Note(fmt.Sprintf("%s of %s have a near copy among the training images, so that the numbers of that part are too good; %s",
		words.Number(l.Images), words.Count(l.Of, l.Part+" image"), what), steps...)
}
