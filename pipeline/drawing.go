package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"icebox/headtrain"
	"icebox/headtrain/probe"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/files"
	"icebox/pipeline/journal"
	"icebox/pipeline/page"
	"icebox/pipeline/report"
)

// drawing is a page in the making.
type drawing struct {
	page.Page
	head  *headtrain.Head
	ds    *dataset.Dataset
	held  answeredRows       // of Report.WrongOf
	train *headtrain.Dataset // in whose rows neighbours are looked for; nil is none
	items []int              // of the dataset, one a row of train
}

const (
	// onMap is how many images are laid out on a map at most, and atEnd how many at the end of
	// a run.
	onMap, atEnd = 1000, 400
	// trainAtEnd is in how many rows neighbours are looked for at the end of a run. [DrawPage]
	// takes its time.
	trainAtEnd = 50_000
)

// fill draws from the rows what the page shows of them. A page that may take its time has
// the map by neighbours.
func (d *drawing) fill(ctx context.Context, thorough bool) error {
	if d.held.Len() == 0 {
		return nil
	}
	for _, r := range d.held.answers.Rejections(100) {
		d.Rejecting = append(d.Rejecting, page.Rejection{Coverage: r.Coverage, Precision: r.Precision})
	}
	d.Classes = d.examples()
	if d.train != nil && (thorough || d.train.Rows() <= trainAtEnd) {
		if err := d.findNearest(ctx); err != nil {
			return err
		}
	}
	return d.drawMap(ctx, thorough)
}

// examplesOf is how many best and worst images of a class a page shows, and exampleClasses
// of how many classes at most.
const examplesOf, exampleClasses = 4, 30

// examples picks the surest right and the least sure images of each class.
func (d *drawing) examples() []page.Examples {
	if len(d.head.Classes) > exampleClasses {
		return nil
	}
	type answered struct {
		row, class int
		ofLabel    float64
	}
	byClass := make([][]answered, len(d.head.Classes))
	for row, label := range d.held.Data.Labels {
		class, _, ofLabel := d.held.answers.Of(row)
		byClass[label] = append(byClass[label], answered{row, class, ofLabel})
	}
	example := func(a answered) page.Example {
		return page.Example{Path: d.path(d.held.Items[a.row]), Predicted: d.head.Classes[a.class], OfLabel: a.ofLabel}
	}
	var all []page.Examples
	for c, mine := range byClass {
		if len(mine) == 0 {
			continue
		}
		slices.SortStableFunc(mine, func(a, b answered) int { return cmp.Compare(b.ofLabel, a.ofLabel) })
		e := page.Examples{Class: d.head.Classes[c]}
		for _, a := range mine[:min(len(mine), examplesOf)] {
			if a.class == c {
				e.Best = append(e.Best, example(a))
			}
		}
		for i := len(mine) - 1; i >= max(len(e.Best), len(mine)-examplesOf); i-- {
			e.Worst = append(e.Worst, example(mine[i]))
		}
		all = append(all, e)
	}
	return all
}

// path is how a person reads the path of an item.
func (d *drawing) path(item int) string { return d.ds.Display(&d.ds.Items[item]) }

// findNearest finds what the images on cards lie next to.
func (d *drawing) findNearest(ctx context.Context) error {
	class := map[string]int32{}
	for i, c := range d.head.Classes {
		class[c] = int32(i)
	}
	type row struct {
		x  []float32
		at int // in train, or -1
	}
	rows := map[string]row{}
	for n, i := range d.held.Items {
		rows[d.path(i)] = row{d.held.Data.Row(n), -1}
	}
	for n, i := range d.items {
		rows[d.path(i)] = row{d.train.Row(n), n}
	}
	var queries []probe.Query
	var of []page.Card
	for _, card := range d.Cards() {
		if r, ok := rows[card.Path]; ok {
			queries = append(queries, probe.Query{Row: r.x, Class: class[card.Label], Not: r.at}, probe.Query{Row: r.x, Class: class[card.Other], Not: r.at})
			of = append(of, card)
		}
	}
	found, err := probe.NearestOf(ctx, d.train, queries)
	if err != nil {
		return err
	}
	path := func(at int) string {
		if at < 0 {
			return ""
		}
		return d.path(d.items[at])
	}
	d.Nearest = map[string]page.Nearest{}
	for n, card := range of {
		d.Nearest[card.Path] = page.Nearest{OfLabel: path(found[2*n]), OfOther: path(found[2*n+1])}
	}
	return nil
}

// drawMap lays the held-out images out in a plane, or an even sample of them.
func (d *drawing) drawMap(ctx context.Context, thorough bool) error {
	most, by, lay := atEnd, page.ByComponents, probe.Principal
	if thorough {
		most, by, lay = onMap, page.ByNeighbours, probe.Neighbourly
	}
	n := min(d.held.Len(), most)
	places := make([]int32, n)
	for i := range places {
		places[i] = int32(i * d.held.Len() / n)
	}
	sample := d.held.At(places)
	points, err := lay(ctx, sample.Data)
	if err != nil {
		return err
	}
	d.MapBy, d.Map = by, make([]page.Point, n)
	for i, p := range points {
		label := int(sample.Data.Labels[i])
		class, _, _ := d.held.answers.Of(int(places[i]))
		d.Map[i] = page.Point{X: p.X, Y: p.Y, Path: d.path(sample.Items[i]), Class: label, Wrong: class != label}
	}
	return nil
}

// write writes the page of the run whose folder is dir, by its final name, and returns how
// many bytes it has.
func (d *drawing) write(path, dir string, o Options) (int, error) {
	d.Next = o.advice(d.Report, d.Insight, dir)
	s := &d.Report.Summary
	switch {
	case d.Report.Sweep != nil && s.Settings == nil: // of a share of the rows, which is no setting
	case s.Features != "":
		d.Reproduce = o.command(journal.Step{Do: journal.TrainRows, Dir: s.Features})
	default:
		var settings string
		if d.Report.Sweep != nil {
			settings = strings.Join(s.Settings, " ")
		}
		d.Reproduce = o.command(journal.Step{Do: journal.Repeat, Dir: dir, Value: settings})
	}
	var out bytes.Buffer
	if err := page.Write(&out, &d.Page); err != nil {
		return 0, err
	}
	return out.Len(), files.Write(path, out.Bytes())
}

// endDrawing begins the page of a run at its end, from what was judged. Where the run has
// opened images, it may open those on the page too, for a twentieth of the time that it took
// or for two seconds.
func endDrawing(ctx context.Context, src features.Source, r *report.Report, judged []judgedPart, p parts, head *headtrain.Head, o Options, j *journal.Journal) (*drawing, error) {
	d := &drawing{Page: page.Page{Report: r}, head: head, ds: src.Dataset(), train: p.train.Data, items: p.train.Items}
	for _, part := range judged {
		if part.Name == r.WrongOf {
			d.held = part.answeredRows
		}
	}
	if err := d.fill(ctx, false); err != nil {
		return nil, err
	}
	var openFor time.Duration
	if src.Work().ImagesOpened > 0 {
		openFor = max(2*time.Second, time.Since(j.Started())/20)
	}
	_, err := d.illustrate(ctx, src, o, openFor, j)
	return d, err
}

// illustrate adds small pictures, and maps of evidence. Images are opened for them for as
// long as openFor; where that is for ever, maps are drawn that are not kept.
func (d *drawing) illustrate(ctx context.Context, src features.Source, o Options, openFor time.Duration, j *journal.Journal) (*album, error) {
	a, err := openAlbum(src, o, openFor)
	if err != nil {
		return nil, err
	}
	if d.Maps, err = a.mapsOf(ctx, d.Cards(), d.head, o, openFor == forEver, j); err != nil {
		return nil, err
	}
	d.Where = a.address
	d.Pictures, err = a.illustrate(ctx, d.Paths(), j)
	return a, err
}

// draw writes the page of an evaluation.
func (e EvalOptions) draw(ctx context.Context, ev *report.Evaluation, src features.Source, head *headtrain.Head, judged []judgedPart, o Options, j *journal.Journal) error {
	r := &report.Report{Program: o.Output.Program, Started: j.Started().UTC().Truncate(time.Second), Classes: ev.Classes, Parts: ev.Parts, Answers: ev.Answers, Engine: headtrain.EngineFused}
	var err error
	if r.Head, _, err = head.Trained(); err != nil {
		return err
	}
	d := &drawing{Page: page.Page{Report: r}, head: head, ds: src.Dataset()}
	for _, p := range judged {
		if p.Rows.Len() == 0 {
			continue
		}
		if p.Name == dataset.Train.String() {
			d.train, d.items = p.Data, p.Items
		}
		d.held, r.WrongOf = p.answeredRows, p.Name
		r.Wrong = report.WrongIn(d.ds, p.Rows, p.answers)
	}
	if err := d.fill(ctx, false); err != nil {
		return err
	}
	if _, err := d.illustrate(ctx, src, o, forEver, j); err != nil {
		return err
	}
	r.Summary.Summary = *summaryOf(src, j)
	var out bytes.Buffer
	if err := page.Write(&out, &d.Page); err != nil {
		return err
	}
	ev.Page = e.Page
	return files.Write(e.Page, out.Bytes())
}
