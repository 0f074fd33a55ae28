package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/predictions"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// EvalOptions say what the head of a run is judged on.
type EvalOptions struct {
	Run    string // folder of the run
	Choice Choice
	// Predictions is a file to write: every image's label, answer and probabilities; ""
	// is none. See [predictions.Create].
	Predictions string
	Overwrite   bool // Predictions may be there already
	// Page is an HTML file to write, or to replace: the evaluation with pictures, for which
	// those images are opened that have none yet; "" is none.
	Page string
}

// Eval judges the head of a run. If o.Data names images, they are judged (and extracted
// first, where the cache lacks them, with the weights that the head was trained on); if
// e.Choice.Features names a folder, the features there; otherwise it is the dataset of
// the run, from the cache or the folder that it was trained on.
//
// Images of classes that the head does not know are not scored: they say how often it
// answers "unknown" as it should.
func Eval(ctx context.Context, e EvalOptions, o Options, p Progress) (*report.Evaluation, error) {
	if e.Predictions != "" {
		if err := predictions.Check(e.Predictions, e.Overwrite); err != nil {
			return nil, err
		}
	}
	head, info, err := runs.Head(e.Run)
	if err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, err := e.source(ctx, o, head, info, j)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if err := src.Origin().Fits(head, e.Run); err != nil {
		return nil, err
	}
	j.Stage("evaluate")
	ownRows := o.Data.Train == "" && e.Choice.Features == "" && isOwn(src, info)
	ev := report.NewEvaluation(e.Run, head)
	err = src.Guard(func() (err error) {
		if ev.Corrections, err = evalCorrected(ctx, src, head); err != nil {
			return err
		}
		return src.Dataset().AsGiven(func() error {
			judged, err := e.judge(ctx, ev, src, head, !ownRows && onePart(src.Dataset()))
			if err != nil || e.Page == "" {
				return err
			}
			return e.draw(ctx, ev, src, head, judged, o.adopt(info), j)
		})
	})
	if err != nil {
		return nil, err
	}
	ev.Summary = *summaryOf(src, j)
	return ev, nil
}

// judge fills ev, and writes the predictions that are asked for.
func (e EvalOptions) judge(ctx context.Context, ev *report.Evaluation, src features.Source, head *headtrain.Head, onePart bool) ([]judgedPart, error) {
	judged, err := judgeParts(ctx, src, head, onePart)
	if err != nil {
		return nil, err
	}
	for _, p := range judged {
		ev.AddStrangers(p.strangers.Data, p.strangers.answers, head.Threshold)
		if p.Rows.Len() > 0 {
			p.setInterval(src.Dataset())
			ev.Parts[p.Name], ev.Answers.Parts[p.Name] = p.score, p.summary
		}
	}
	if ev.Predictions = e.Predictions; e.Predictions != "" {
		return judged, e.writePredictions(head, src, judged)
	}
	return judged, src.Intact()
}

// source finds the rows, and computes them where images are named.
func (e EvalOptions) source(ctx context.Context, o Options, head *headtrain.Head, info runs.HeadInfo, j *journal.Journal) (features.Source, error) {
	if o.Data.Train != "" && e.Choice.Features == "" && info.Features == "" {
		o = o.adopt(info)
		o.Data.Split, o.Data.Name = dataset.Split{}, "" // of images that nobody trains on
		if err := o.Validate(); err != nil {
			return nil, err
		}
		src, err := extractFeatures(ctx, o, toJudge, j)
		if err != nil && src != nil {
			src.Close()
		}
		return src, err
	}
	if o.Data.Train != "" {
		return nil, noImages(e.Run, info)
	}
	src, err := runSource(ctx, o, e.Choice, head, info, j)
	if err != nil {
		return nil, err
	}
	if e.Choice.Features == "" && isOwn(src, info) {
		joinLearned(src.Dataset(), info)
	}
	return src, nil
}

// onePart reports whether nobody says which images of a dataset are held out. They are
// then judged as one part.
func onePart(ds *dataset.Dataset) bool {
	return ds.Count(dataset.Val) == 0 && ds.Count(dataset.Test) == 0
}

// answeredRows are rows and what a head says of them.
type answeredRows struct {
	*features.Rows
	logits  *headtrain.Logits
	answers *judge.Answers // at the head's temperature; nil where there are no rows
}

// judgedPart is a part that a head was judged on.
type judgedPart struct {
	Name string
	answeredRows
	score   report.Score
	summary report.PartAnswers

	strangers answeredRows // of classes that the head does not know, with the labels of their dataset
}

// judgeParts judges a head on every part of a source. Where it is one part, that is called
// "all".
func judgeParts(ctx context.Context, src features.Source, head *headtrain.Head, onePart bool) ([]judgedPart, error) {
	ds := src.Dataset()
	at, err := matchClasses(ds.Classes, head.Classes)
	if err != nil && len(at) == 0 {
		return nil, err
	}
	var parts []judgedPart
	scored := 0
	for _, p := range dataset.Parts {
		r, rowsErr := src.Rows(features.OfPart(p))
		if rowsErr != nil {
			return nil, rowsErr
		}
		if r.Len() == 0 {
			continue
		}
		name := p.String()
		if onePart {
			name = "all"
		}
		known, strange := divided(r, at)
		known.Rename(at, head.Classes)
		judged, judgeErr := judgePart(ctx, name, head, known)
		if judgeErr != nil {
			return nil, judgeErr
		}
		if judged.strangers, judgeErr = answer(ctx, head, strange, nil); judgeErr != nil {
			return nil, judgeErr
		}
		parts, scored = append(parts, judged), scored+known.Len()
	}
	switch {
	case len(parts) == 0:
		return nil, fmt.Errorf("%w: no labelled image of %s has a feature", features.ErrNotExtracted, ds.Name)
	case scored == 0:
		return nil, err
	}
	return parts, nil
}

// divided are the rows whose class a head knows, and the others.
func divided(r *features.Rows, at []int32) (known, strange *features.Rows) {
	places := [2][]int32{{}, {}}
	for n, label := range r.Data.Labels {
		which := 0
		if at[label] < 0 {
			which = 1
		}
		places[which] = append(places[which], int32(n))
	}
	if len(places[1]) == 0 {
		return r, r.At(nil)
	}
	return r.At(places[0]), r.At(places[1])
}

// judgePart judges a head on rows with its own labels. Of no rows there is nothing to say.
func judgePart(ctx context.Context, name string, head *headtrain.Head, r *features.Rows) (judgedPart, error) {
	p := judgedPart{Name: name}
	var err error
	if p.answeredRows, err = answer(ctx, head, r, r.Data.Labels); err != nil || r.Len() == 0 {
		return p, err
	}
	asTrained := p.answers
	if report.Temperature(head) != 1 {
		if asTrained, err = judge.NewAnswers(ctx, p.logits, r.Data.Labels, 1); err != nil {
			return p, err
		}
	}
	p.score = asTrained.Report(head.Classes)
	p.summary = report.PartAnswers{Calibration: p.answers.Calibration(), Rejection: p.answers.Reject(head.Threshold)}
	return p, nil
}

// answer has a head answer for rows. Labels are of its classes; nil is none.
func answer(ctx context.Context, head *headtrain.Head, r *features.Rows, labels []int32) (a answeredRows, err error) {
	a = answeredRows{Rows: r, logits: headtrain.NewLogits(head, r.Data)}
	if r.Len() > 0 {
		a.answers, err = judge.NewAnswers(ctx, a.logits, labels, report.Temperature(head))
	}
	return a, err
}

// writePredictions writes a row for every labelled image: part by part, in the dataset's
// order, those without a feature too.
func (e EvalOptions) writePredictions(head *headtrain.Head, src features.Source, parts []judgedPart) error {
	w, err := predictions.Create(e.Predictions, predictions.Layout{Classes: head.Classes, Judged: true}, e.Overwrite)
	if err != nil {
		return err
	}
	defer w.Abandon()
	for row := range rowsOf(head, src, parts) {
		if err := w.Write(row); err != nil {
			return err
		}
	}
	if err := src.Intact(); err != nil {
		return err
	}
	return w.Close()
}

// rowsOf yields the rows of the labelled images of a source. The next one takes the place
// of the last.
func rowsOf(head *headtrain.Head, src features.Source, parts []judgedPart) iter.Seq[*predictions.Row] {
	ds := src.Dataset()
	reasons := map[string]string{}
	for _, bad := range src.Found().Quarantine {
		reasons[bad.Path] = bad.Reason
	}
	places := make([]answerPlace, len(ds.Items))
	part := make([]string, len(ds.Items))
	for i := range ds.Items {
		part[i] = ds.Items[i].Part.String()
	}
	names := []string{""} // items without a feature may have no part
	for _, p := range parts {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
		for _, of := range []answeredRows{p.answeredRows, p.strangers} {
			logits := of.logits.Reader()
			for n, i := range of.Items {
				places[i], part[i] = answerPlace{logits, n}, p.Name
			}
		}
	}
	return func(yield func(*predictions.Row) bool) {
		var row predictions.Row
		for _, name := range append(names[1:], "") {
			for i := range ds.Items {
				it := &ds.Items[i]
				if part[i] != name || it.Label == dataset.Unlabelled {
					continue
				}
				row.Path, row.Part, row.Truth = ds.Display(it), name, ds.Class(it)
				if at := places[i]; at.logits != nil {
					row.Answer(head, at.logits(at.row))
				} else {
					row.Fail(cmp.Or(reasons[row.Path], "no feature was computed"))
				}
				if !yield(&row) {
					return
				}
			}
		}
	}
}

// answerPlace is where the logits of an item are; logits is nil where it has no feature.
type answerPlace struct {
	logits func(row int) []float32
	row    int
}
