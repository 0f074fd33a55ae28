package pipeline

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// readCorrections reads the corrections that o names; nil if it names none.
func (o Options) readCorrections() (*corrections.File, error) {
	if o.Data.Corrections == "" {
		return nil, nil
	}
	return corrections.Read(o.Data.Corrections)
}

// correct lays corrections over the dataset of a source, and says which. A nil file is
// none.
func correct(src features.Source, f *corrections.File, j *journal.Journal) error {
	if f == nil {
		return nil
	}
	ds := src.Dataset()
	book := corrections.NewBook(ds)
	book.Add(f.Changes...)
	if err := book.Lay(); err != nil {
		return fmt.Errorf("with the corrections in %s: %w", f.Path, err)
	}
	c := ds.Corrected
	c.File, c.SHA256, c.Bytes = f.Path, hex.EncodeToString(f.SHA256[:]), f.Bytes
	c.Stale, c.Gone = book.Stale, book.Gone
	noteCorrections(f, c, j)
	return nil
}

// noteCorrections says what corrections have changed, and which had no effect.
func noteCorrections(f *corrections.File, c *dataset.Corrected, j *journal.Journal) {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{{len(c.Labels) - len(c.Excluded), "label"}, {len(c.Excluded), "image"}, {len(c.Confirmed), "label"}} {
		parts = append(parts, words.Count(n.count, n.what))
	}
	j.Tell(fmt.Sprintf("corrections in %s: %s changed, %s left out, %s confirmed", f.Path, parts[0], parts[1], parts[2]))
	if f.Torn > 0 {
		j.Note(fmt.Sprintf("the last line of %s, line %d, is not whole and is left out: a program was killed while it wrote it, or the disk was full", f.Path, f.Torn))
	}
	var none []string
	if c.Stale > 0 {
		none = append(none, words.Number(c.Stale)+" for the image has other bytes by now")
	}
	if c.Gone > 0 {
		none = append(none, words.Number(c.Gone)+" for the image is not there")
	}
	if len(none) > 0 {
		j.Note(fmt.Sprintf("%s in %s without effect: %s", words.Count(c.Stale+c.Gone, "correction"), f.Path, strings.Join(none, ", ")))
	}
}

// asGiven are parts whose rows to judge by have the labels that they were given, corrected
// or not, and those that corrections leave out. Rows of a class that is gone, because all of
// its images were corrected, are left out: a head cannot know it.
func (p parts) asGiven(src features.Source) (parts, error) {
	ds := src.Dataset()
	if ds.Corrected == nil {
		return p, nil
	}
	for part, rows := range map[dataset.Part]**features.Rows{dataset.Val: &p.val, dataset.Test: &p.test} {
		if (*rows).Len() == 0 && part == dataset.Val {
			continue // the head may have learned from them
		}
		given, err := givenRows(src, part)
		if err != nil {
			return p, err
		}
		*rows = given
	}
	return p, nil
}

// givenRows are the rows of a part with the labels that they were given, in the classes of
// the dataset as corrected.
func givenRows(src features.Source, part dataset.Part) (rows *features.Rows, err error) {
	ds := src.Dataset()
	classes := ds.Classes
	err = ds.AsGiven(func() error {
		rows, err = src.Rows(features.OfPart(part))
		return err
	})
	if err != nil {
		return nil, err
	}
	at, err := matchClasses(rows.Data.Classes, classes)
	if err == nil {
		rows.Rename(at, classes)
		return rows, nil
	}
	if at == nil {
		return rows.At(nil), nil
	}
	known, _ := divided(rows, at)
	known.Rename(at, classes)
	return known, nil
}

// correctedParts judges a head on the rows of the held-out parts in which corrections have
// changed a label; nil where they have changed none.
func correctedParts(ds *dataset.Dataset, judge func(part dataset.Part) (*report.CorrectedPart, error)) (map[string]report.CorrectedPart, error) {
	if ds.Corrected == nil {
		return nil, nil
	}
	changed := map[dataset.Part]int{}
	for i := range ds.Corrected.Labels {
		changed[ds.Items[i].Part]++
	}
	var all map[string]report.CorrectedPart
	for _, part := range []dataset.Part{dataset.Val, dataset.Test} {
		if changed[part] == 0 {
			continue
		}
		p, err := judge(part)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		if all == nil {
			all = map[string]report.CorrectedPart{}
		}
		p.Changed = changed[part]
		all[part.String()] = *p
	}
	return all, nil
}

// saveCorrections copies the corrections into a run folder, and says what the head comes to
// by them; nil if there are none. It is judged by corrected labels on the parts that it did
// not learn from.
func saveCorrections(ctx context.Context, ds *dataset.Dataset, p parts, head *headtrain.Head, dir *runs.Dir) (*report.Corrections, error) {
	if ds.Corrected == nil {
		return nil, nil
	}
	parts, err := correctedParts(ds, func(part dataset.Part) (*report.CorrectedPart, error) {
		return judgeCorrected(ctx, ds, part.String(), head, p.of(part))
	})
	if err == nil {
		err = os.WriteFile(dir.File(runs.CorrectionsFile), ds.Corrected.Bytes, 0o644)
	}
	return summaryOfCorrections(ds, parts), err
}

// judgeCorrected judges a head on rows of corrected labels; nil where there are none.
func judgeCorrected(ctx context.Context, ds *dataset.Dataset, name string, head *headtrain.Head, rows *features.Rows) (*report.CorrectedPart, error) {
	if rows.Len() == 0 {
		return nil, nil
	}
	judged, err := judgePart(ctx, name, head, rows)
	if err != nil {
		return nil, err
	}
	judged.setInterval(ds)
	return &report.CorrectedPart{Accuracy: judged.score.Top1, Interval: judged.summary.Interval, Images: rows.Len()}, nil
}

// evalCorrected judges a head by the corrected labels of a source, where the labels of a
// part are corrected.
func evalCorrected(ctx context.Context, src features.Source, head *headtrain.Head) (*report.Corrections, error) {
	ds := src.Dataset()
	if ds.Corrected == nil {
		return nil, nil
	}
	at, err := matchClasses(ds.Classes, head.Classes)
	if at == nil {
		return nil, err
	}
	parts, err := correctedParts(ds, func(part dataset.Part) (*report.CorrectedPart, error) {
		rows, err := src.Rows(features.OfPart(part))
		if err != nil {
			return nil, err
		}
		known, _ := divided(rows, at)
		known.Rename(at, head.Classes)
		return judgeCorrected(ctx, ds, part.String(), head, known)
	})
	return summaryOfCorrections(ds, parts), err
}

// summaryOfCorrections is what a report says of corrections; nil if there are none.
func summaryOfCorrections(ds *dataset.Dataset, parts map[string]report.CorrectedPart) *report.Corrections {
	c := ds.Corrected
	if c == nil {
		return nil
	}
	return &report.Corrections{
		File: c.File, SHA256: c.SHA256, Changed: len(c.Labels) - len(c.Excluded), Excluded: len(c.Excluded), Confirmed: len(c.Confirmed),
		Stale: c.Stale, Gone: c.Gone, Parts: parts,
	}
}
