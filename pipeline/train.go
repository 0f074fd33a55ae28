package pipeline

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// task is one head to be trained: what a single run asks for, or what a sweep chose.
type task struct {
	options  headtrain.Options
	parts    parts
	unseen   unseen         // how rows are scored that the head did not learn from
	refit    bool           // the head learns from the validation rows too
	fraction float64        // of the rows of these parts that it learns from
	sweep    *report.Sweep  // that chose the options; nil where none did
	tuning   *report.Tuning // what was tuned, or why nothing was; nil where nobody asked
}

// trainTracked is trainHead, of which a tracker hears, if there is one.
func trainTracked(ctx context.Context, t task, src features.Source, dir *runs.Dir, o Options, j *journal.Journal) (*report.Report, error) {
	w := o.track(ctx, t, src, dir, j)
	r, err := trainHead(ctx, t, src, dir, o, j)
	w.end(ctx, r, err)
	return r, err
}

// trainHead trains a head, calibrates its answers, judges it and completes the run folder.
// Only rows that it did not learn from choose anything (validation rows, or folds); the
// test rows are looked at here, once, at the end.
func trainHead(ctx context.Context, t task, src features.Source, dir *runs.Dir, o Options, j *journal.Journal) (*report.Report, error) {
	engine, err := o.headEngine()
	if err != nil {
		return nil, err
	}
	j.Stage("train")
	fit, err := fitHead(ctx, t, engine, dir, j)
	if err != nil {
		return nil, err
	}
	noteTraining(t, fit, j)
	answers, err := calibrate(ctx, t, fit.Head, engine, o.Answers, j)
	if err != nil {
		return nil, err
	}
	if err := saveHead(t, fit, src, dir); err != nil {
		return nil, err
	}
	j.Stage("evaluate")
	held, err := t.parts.asGiven(src)
	if err != nil {
		return nil, err
	}
	judged, baselines, err := judgeHead(ctx, src, held, fit.Head)
	if err != nil {
		return nil, err
	}
	corrected, err := saveCorrections(ctx, src.Dataset(), t.parts, fit.Head, dir)
	if err != nil {
		return nil, err
	}
	noteBaselines(t.options, baselines, j)
	leaks, err := leaksOf(ctx, src, held)
	if err != nil {
		return nil, err
	}
	noteLeaks(leaks, src.Dataset().Split, j)
	if err := src.Intact(); err != nil {
		return nil, err
	}
	j.Stage("report")
	r := &report.Report{
		Program: o.Output.Program, Started: j.Started().UTC().Truncate(time.Second),
		Classes: src.Dataset().Classes, Space: src.Origin().Space, Head: t.options, Engine: cmp.Or(o.HeadEngine, headtrain.EngineFused),
		Answers: answers, Base: baselines, Sweep: t.sweep,
	}
	r.Summary.TrainSummary = trainSummary(held, fit, answers, baselines)
	addParts(r, src.Dataset(), judged)
	r.Summary.Leaks, r.Summary.Corrections, r.Summary.Quality = leaks, corrected, qualityOf(src)
	r.Summary.Tuned, r.Summary.Refit, r.Summary.Settings = t.tuning, t.refit, o.settings(t)
	if t.sweep != nil {
		t.sweep.Test, t.sweep.TestUnits = r.Summary.TestAccRange, r.Answers.Parts[dataset.Test.String()].Units
	}
	r.Decide()
	drawn, err := endDrawing(ctx, src, r, judged, t.parts, fit.Head, o, j)
	if err != nil {
		return nil, err
	}
	drawn.Epochs = fit.History
	if t.sweep != nil {
		drawn.Swept = t.sweep.Results()
	}
	name := dir.Final()
	r.Summary.Summary = *summaryOf(src, j)
	r.Summary.RunDir = &name
	if err := r.Write(dir); err != nil {
		return nil, err
	}
	if o.TensorBoard {
		if err := writeEvents(dir, fit.History, &r.Summary, r.Started); err != nil {
			return nil, err
		}
	}
	if _, err := drawn.write(dir.File(runs.PageFile), name, o); err != nil {
		return nil, err
	}
	return r, dir.Done()
}

// check refuses, before anything is trained, what the rows cannot do. Folds are those of
// a sweep, in which rows are held out too; steps are what else would hold some out.
func (o Options) check(src features.Source, p parts, folds int, steps ...journal.Step) error {
	heldOut := p.val.Len() > 0 || folds > 0
	if patience := o.Head.EarlyStopping.Patience; patience > 0 && !heldOut {
		return needValidation(src, headtrain.ErrOptions, "early stopping", append(steps, journal.SetTo("Head.EarlyStopping.Patience", 0))...)
	}
	if o.Answers.Reject != (judge.Goal{}) && !heldOut && !o.Refit {
		return needValidation(src, dataset.ErrData, "the threshold of rejection", steps...)
	}
	return checkWeights(src.Dataset(), "Head.ClassWeights", o.Head.ClassWeights)
}

// fitHead trains the head of a task and writes the epochs to the run folder.
func fitHead(ctx context.Context, t task, engine headtrain.Engine, dir *runs.Dir, j *journal.Journal) (headtrain.Result, error) {
	j.Start("train", t.options.Epochs)
	results, err := engine.Trainer.Fit(ctx, headtrain.Job{
		Train: t.parts.train.Data, Val: t.parts.validation(), Heads: []headtrain.Options{t.options},
		OnEpoch: func(_ int, e headtrain.Epoch) {
			dir.Metric(e)
			j.Add(1)
		},
	})
	if err != nil {
		return headtrain.Result{}, err
	}
	return results[0], nil
}

// saveHead writes the head, and, of a single one that early stopping chose, the head of
// the last epoch.
func saveHead(t task, fit headtrain.Result, src features.Source, dir *runs.Dir) error {
	info := runs.InfoOf(src)
	info.Refit = t.refit
	if err := info.Describe(fit.Head, src.Origin()); err != nil {
		return err
	}
	if fit.Last != nil && t.sweep == nil {
		if err := info.Describe(fit.Last, src.Origin()); err != nil {
			return err
		}
		if err := fit.Last.Save(dir.File(runs.LastFile)); err != nil {
			return err
		}
	}
	return dir.SaveHead(fit.Head)
}

// judgeHead judges a head on every part that has rows, and holds it against baselines.
func judgeHead(ctx context.Context, src features.Source, p parts, head *headtrain.Head) (judged []judgedPart, b *report.Baselines, err error) {
	var g errgroup.Group
	judged = make([]judgedPart, len(dataset.Parts))
	for n, part := range dataset.Parts {
		if rows := p.of(part); rows.Len() > 0 {
			g.Go(func() error {
				return src.Guard(func() (err error) {
					judged[n], err = judgePart(ctx, part.String(), head, rows)
					return err
				})
			})
		}
	}
	b, err = baselinesOf(ctx, src, p, head)
	if err := errors.Join(g.Wait(), err); err != nil {
		return nil, nil, err
	}
	return slices.DeleteFunc(judged, func(p judgedPart) bool { return p.Rows == nil }), b, nil
}

// trainSummary is the part of the summary that is about the training.
func trainSummary(p parts, fit headtrain.Result, a report.Answering, b *report.Baselines) report.TrainSummary {
	s := report.TrainSummary{
		TrainRows: p.train.Len(), ValRows: p.val.Len(), TestRows: p.test.Len(), Missing: p.missing,
		Epochs: len(fit.History), EpochSeconds: fit.EpochSeconds, BestEpoch: fit.BestEpoch, Stopped: fit.Stopped, Gradient: fit.Gradient,
		Temperature: a.Temperature, Threshold: a.Threshold,
	}
	if b != nil {
		s.Baseline = b.Best()
	}
	return s
}

// addParts adds what was judged to a report. The images it lists as wrong are those of
// test, or else of validation, or else of training.
func addParts(r *report.Report, ds *dataset.Dataset, judged []judgedPart) {
	r.Parts = map[string]report.Score{}
	s := &r.Summary.TrainSummary
	for i := range judged {
		p := &judged[i]
		p.setInterval(ds)
		r.Parts[p.Name], r.Answers.Parts[p.Name] = p.score, p.summary
		r.WrongOf = p.Name
		r.Wrong = report.WrongIn(ds, p.Rows, p.answers)
		loss, accuracy := lossAccuracy(p.score)
		switch p.Name {
		case dataset.Train.String():
			s.TrainLoss, s.TrainAcc = p.score.Loss, p.score.Top1
		case dataset.Val.String():
			s.ValLoss, s.ValAcc, s.ValAccRange = loss, accuracy, p.summary.Interval
		case dataset.Test.String():
			s.TestLoss, s.TestAcc, s.TestAccRange = loss, accuracy, p.summary.Interval
			s.TestECE, s.TestECEUncalibrated = &p.summary.Calibration.ECE, &p.score.ECE
			s.TestLossCalibrated = &p.summary.Calibration.Loss
		}
	}
}

// lossAccuracy are nil where the loss is not a number, which JSON has not.
func lossAccuracy(s report.Score) (loss, accuracy *float64) {
	if math.IsNaN(s.Loss) {
		return nil, nil
	}
	return &s.Loss, &s.Top1
}

// stepsPerEpoch is how often the optimizer steps in an epoch over n rows.
func stepsPerEpoch(o headtrain.Options, n int) int {
	return int(math.Ceil(float64(n) / float64(o.BatchSize)))
}
