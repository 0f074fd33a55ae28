package pipeline

import (
	"context"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// EvalOptions say what the head of a run is judged on.
type EvalOptions struct {
	Run    string // folder of the run
	Choice Choice
	// Predictions is a CSV file to write: every image's label, answer and
	// probabilities; "" is none.
	Predictions string
}

// Eval judges the head of a run. If o.Data names images, they are judged (and extracted
// first, where the cache lacks them, with the weights that the head was trained on); if
// e.Choice.Features names a folder, the features there; otherwise it is the dataset of
// the run, from the cache or the folder that it was trained on.
func Eval(ctx context.Context, e EvalOptions, o Options, p Progress) (*report.Evaluation, error) {
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
	parts, err := judgeParts(src, head, !ownRows && onePart(src.Dataset()))
	if err != nil {
		return nil, err
	}
	ev := report.NewEvaluation(e.Run, head)
	for _, p := range parts {
		p.setInterval(src.Dataset())
		ev.Parts[p.Name] = p.score
		ev.Answers.Parts[p.Name] = p.answers
	}
	if ev.Predictions = e.Predictions; e.Predictions != "" {
		if err := writePredictions(e.Predictions, head, src.Dataset(), parts); err != nil {
			return nil, err
		}
	}
	ev.Summary = *summaryOf(src, j)
	return ev, nil
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

// judgedPart is a part that a head was judged on.
type judgedPart struct {
	report.Judged
	score   report.Score
	answers report.PartAnswers
}

// right says which rows the head puts into their class.
func (p judgedPart) right() []bool {
	k := len(p.Rows.Data.Classes)
	right := make([]bool, p.Rows.Len())
	for n := range right {
		row := p.Logits[n*k : (n+1)*k]
		right[n] = slices.Index(row, slices.Max(row)) == int(p.Rows.Data.Labels[n])
	}
	return right
}

// judgeParts judges a head on every part of a source. Where it is one part, that is called
// "all".
func judgeParts(src features.Source, head *headtrain.Head, onePart bool) ([]judgedPart, error) {
	ds := src.Dataset()
	classes, err := matchClasses(ds.Classes, head.Classes)
	if err != nil {
		return nil, err
	}
	var parts []judgedPart
	for _, p := range dataset.Parts {
		r, err := src.Rows(features.OfPart(p))
		if err != nil {
			return nil, err
		}
		if r.Len() == 0 {
			continue
		}
		r.Rename(classes, head.Classes)
		name := p.String()
		if onePart {
			name = "all"
		}
		judged, err := judgePart(name, head, r)
		if err != nil {
			return nil, err
		}
		parts = append(parts, judged)
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%w: no labelled image of %s has a feature", features.ErrNotExtracted, ds.Name)
	}
	return parts, nil
}

// judgePart judges a head on rows with its own labels.
func judgePart(name string, head *headtrain.Head, r *features.Rows) (judgedPart, error) {
	p := judgedPart{Judged: report.Judged{Name: name, Rows: r, Logits: logitsOf(head, r)}}
	var err error
	if p.score, err = judge.Evaluate(p.Logits, r.Data.Labels, head.Classes); err != nil {
		return p, err
	}
	p.answers, err = answersOf(p.Logits, r.Data.Labels, len(head.Classes), report.Temperature(head), head.Threshold)
	return p, err
}

// logitsOf are a head's logits of rows, rows × classes.
func logitsOf(head *headtrain.Head, r *features.Rows) []float32 {
	logits := make([]float32, r.Len()*len(head.Classes))
	head.Logits(logits, r.Data.X, r.Len())
	return logits
}

func answersOf(logits []float32, labels []int32, k int, temperature, threshold float64) (p report.PartAnswers, err error) {
	if p.Calibration, err = judge.Calibrate(logits, labels, k, temperature); err != nil {
		return p, err
	}
	p.Rejection, err = judge.Reject(logits, labels, k, temperature, threshold)
	return p, err
}

func writePredictions(path string, head *headtrain.Head, ds *dataset.Dataset, parts []judgedPart) error {
	all := make([]report.Judged, len(parts))
	for i, p := range parts {
		all[i] = p.Judged
	}
	return report.WritePredictions(path, head, ds, all)
}
