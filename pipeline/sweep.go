package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
	"icebox/pipeline/words"
)

// SweepRun says how a sweep is to be run.
type SweepRun struct {
	Choice Choice
	// Resume is the folder of a sweep that was interrupted; "" begins a new one.
	Resume string
	// Confirmed lets a sweep have more than [sweep.MaxHeads] heads.
	Confirmed bool

	batch int // see sweep.Search.Batch
}

// RunSweep trains the heads of o.Sweep, chooses among them by validation or by
// cross-validation, and then trains, judges and reports the best as [Train] does. Only
// then is test looked at. What is done is kept as it goes; after an interruption
// the summary says where, and SweepRun.Resume goes on from there.
func RunSweep(ctx context.Context, o Options, r SweepRun, p Progress) (*report.SweepSummary, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.Sweep.Refit = o.Sweep.Refit || o.Refit
	j := journal.New(p, o.Words)
	sum := &report.SweepSummary{Method: o.Sweep.Method}
	src, err := openSource(ctx, o, r.Choice, j)
	if err != nil {
		sum.RunSummary = *featuresOnly(nil, j)
		return sum, err
	}
	defer src.Close()
	err = src.Guard(func() error { return r.sweep(ctx, o, src, sum, j) })
	if err != nil {
		sum.RunSummary = *featuresOnly(src, j)
	}
	return sum, err
}

// sweep fills sum as far as it comes.
func (r SweepRun) sweep(ctx context.Context, o Options, src features.Source, sum *report.SweepSummary, j *journal.Journal) error {
	j.Stage("check")
	if err := checkTrainable(src.Dataset(), o); err != nil {
		return err
	}
	j.Stage("gather")
	parts, err := gatherParts(src, j)
	if err != nil {
		return err
	}
	j.Stage("plan")
	search, err := r.prepare(o, src, parts, j)
	if err != nil {
		return err
	}
	dir, err := r.open(o, src, parts, search, j)
	if err != nil {
		return err
	}
	defer dir.Close()
	defer search.Log.Close() // the report has removed it by then, if the sweep is whole
	j.Stage("sweep")
	outcome, err := search.Run(ctx)
	sum.SetOutcome(search, outcome)
	sum.InterruptedAt = dir.Kept()
	if err != nil {
		return err
	}
	if outcome.Best().Failed() {
		dir.Keep(false) // to go on with it would end here again
		sum.InterruptedAt = ""
		return search.AllDiverged(o.Head)
	}
	j.Stage("choose")
	t, err := taskOfBest(search, outcome, src.Dataset(), parts, o)
	if err != nil {
		return err
	}
	rep, err := trainTracked(ctx, t, src, dir, o, j)
	if err != nil {
		return err
	}
	sum.RunSummary, sum.Report, sum.InterruptedAt = rep.Summary, rep.Sweep, ""
	return nil
}

// prepare works out which heads to train and on what. It finds out now, and not after an
// hour, what they cannot be trained with.
func (r SweepRun) prepare(o Options, src features.Source, p parts, j *journal.Journal) (*sweep.Search, error) {
	plan, err := sweep.NewPlan(o.Sweep, o.Head)
	if err != nil {
		return nil, err
	}
	if n := plan.Repeats; n > 0 {
		j.Note(fmt.Sprintf("%s skipped: lbfgs heeds no lr, batch_size or schedule, so that they would train the same head as another point", words.Count(n, "point")))
	}
	if n := plan.Heads(); n > sweep.MaxHeads && !r.Confirmed {
		err := fmt.Errorf("%w: the sweep has %s, more than %s", sweep.ErrManyHeads, words.Count(n, "head"), words.Number(sweep.MaxHeads))
		return nil, journal.WithSteps(err, plan.Fewer(o.Sweep)...)
	}
	if err := o.check(src, p, plan.Folds, inFolds); err != nil {
		return nil, err
	}
	engine, err := o.headEngine()
	if err != nil {
		return nil, err
	}
	s := &sweep.Search{Plan: plan, Metric: sweep.Metric(o.Sweep.Metric), Train: p.train.Data, Val: p.validation(), Engine: engine, Journal: j, Batch: r.batch}
	byFraction := slices.ContainsFunc(plan.Axes, func(a sweep.Axis) bool { return a.Key == sweep.FractionKey })
	s.Folds = &dataset.Folds{}
	if plan.Folds > 0 || byFraction {
		if s.Folds, err = dataset.NewFolds(src.Dataset(), p.train.Items, plan.Folds); err != nil {
			return nil, err
		}
	}
	if plan.Folds == 0 && s.Val == nil {
		s.Metric = sweep.TrainLoss
		j.Note("there are no validation rows and no folds: heads are ranked by their training loss, which says nothing of new images", inFolds)
	}
	if err := checkHeads(s, o.Head, src.Dataset()); err != nil {
		return nil, err
	}
	j.Tell(describePlan(plan))
	return s, nil
}

// inFolds is how a sweep can do without validation rows.
var inFolds = journal.SetTo("Sweep.Folds", 5)

// checkHeads refuses what no head could be trained with, weights on an axis included.
func checkHeads(s *sweep.Search, base headtrain.Options, ds *dataset.Dataset) error {
	check := headtrain.Job{Train: s.Train, Val: s.Val, Heads: []headtrain.Options{base}}
	if s.Plan.Folds > 0 || s.Val != nil {
		fold := s.Plan.Folds - 1 // the last one; -1 where there is none
		check.Parts = []headtrain.Part{headtrain.Part(s.Folds.Share(fold, 1))}
	}
	if err := check.Validate(); err != nil {
		return err
	}
	maps, err := s.Plan.WeightMaps()
	if err != nil {
		return err
	}
	for _, weights := range maps {
		if err := checkWeights(ds, "Sweep.Axes.class_weights", weights); err != nil {
			return err
		}
		check.Heads[0].ClassWeights = weights
		if err := check.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// describePlan says how large a sweep is.
func describePlan(p *sweep.Plan) string {
	epochs := 0
	text := words.Count(len(p.Points), "point")
	for _, r := range p.Rungs {
		epochs += p.Epochs(r)
	}
	if p.Seeds > 1 {
		text += fmt.Sprintf(" × %d seeds", p.Seeds)
	}
	if p.Folds > 0 {
		text += fmt.Sprintf(" × %d folds", p.Folds)
	}
	if len(p.Rungs) > 1 {
		text += ", halved in rungs of"
		for i, r := range p.Rungs {
			text += strings.Repeat(",", min(i, 1)) + fmt.Sprintf(" %d (%s)", r.Points, words.Count(r.Epochs, "epoch"))
		}
	}
	return fmt.Sprintf("the sweep has %s: %s, %s in all", text, words.Count(p.Heads(), "head"), words.Count(epochs, "epoch"))
}

// open makes the sweep's folder and begins the search's log in it, or opens those of a
// sweep to be resumed.
func (r SweepRun) open(o Options, src features.Source, p parts, s *sweep.Search, j *journal.Journal) (dir *runs.Dir, err error) {
	recipe, err := r.recipe(o, src, p)
	if err != nil {
		return nil, err
	}
	if r.Resume == "" {
		tidy(o.Output.Dir, j)
		dir, s.Log, err = newSweep(o.Output, src.Dataset().Name, recipe)
	} else {
		dir, s.Log, err = resumeSweep(r.Resume, o.Output.Name, recipe)
	}
	if err != nil {
		return nil, err
	}
	if r.Resume != "" {
		j.Tell(fmt.Sprintf("going on with %s: %s of %s are there", filepath.Base(r.Resume), words.Number(s.Log.Len()), words.Count(s.Plan.Heads(), "head")))
	}
	s.Trained = func() { dir.Keep(true) }
	j.Tell("if it is interrupted", journal.Step{Do: journal.Resume, Dir: dir.Path()})
	return dir, nil
}

// newSweep makes the folder of a sweep and begins its log.
func newSweep(o runs.Options, dataset string, recipe sweep.Recipe) (*runs.Dir, *sweep.Log, error) {
	dir, err := runs.New(o, dataset+"-sweep")
	if err != nil {
		return nil, nil, err
	}
	log, err := sweep.NewLog(dir.Path(), recipe)
	if err != nil {
		dir.Close()
		return nil, nil, err
	}
	return dir, log, nil
}

// resumeSweep opens the folder of a sweep that was interrupted, and its log.
func resumeSweep(path, name string, recipe sweep.Recipe) (*runs.Dir, *sweep.Log, error) {
	if _, err := Interrupted(path); err != nil {
		return nil, nil, err
	}
	dir, err := runs.Reopen(path, name)
	if err != nil {
		return nil, nil, err
	}
	log, err := sweep.ResumeLog(path, recipe)
	if err != nil {
		dir.Close()
		return nil, nil, err
	}
	return dir, log, nil
}

// recipe is what the heads depend on.
func (r SweepRun) recipe(o Options, src features.Source, p parts) (sweep.Recipe, error) {
	choice, err := r.Choice.absolute()
	if err != nil {
		return sweep.Recipe{}, err
	}
	rows := sweep.RowsOf{Dataset: src.Dataset().Name, Space: src.Origin().Space.ID, Val: o.Data.Split.Val, Test: o.Data.Split.Test, Digest: digest(src, p)}
	return sweep.NewRecipe(o.Sweep, o.Head, rows, choice, o.Output.Program)
}

// absolute is c with a folder that does not depend on the working directory.
func (c Choice) absolute() (Choice, error) {
	if c.Features == "" {
		return c, nil
	}
	var err error
	c.Features, err = filepath.Abs(c.Features)
	return c, err
}

// digest names the rows that heads learn from and are judged by: their content,
// labels and parts. The features themselves are named by the space, or hashed.
func digest(src features.Source, p parts) string {
	ds, h := src.Dataset(), sha256.New()
	fmt.Fprintf(h, "%q\n", ds.Classes)
	for _, part := range dataset.Parts {
		r := p.of(part)
		for n, i := range r.Items {
			fmt.Fprintf(h, "%d %d %x %q\n", part, r.Data.Labels[n], ds.Items[i].Hash, ds.Items[i].Group)
		}
	}
	if o := src.Origin(); o.Folder != "" {
		h.Write(o.Digest[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Interrupted says how the rows of the interrupted sweep in dir were found. Its
// configuration is config.yaml in the same folder.
func Interrupted(dir string) (c Choice, err error) {
	if err = sweep.Interrupted(dir, &c); errors.Is(err, sweep.ErrResume) {
		runs.Tidy(filepath.Dir(dir)) // it may be over, but for a file that could not be removed
	}
	return c, err
}

// taskOfBest makes of the best point the task of one head: its options and the rows that
// it learns from, is stopped by, and is calibrated on.
func taskOfBest(s *sweep.Search, outcome *sweep.Outcome, ds *dataset.Dataset, p parts, o Options) (task, error) {
	best := outcome.Best()
	point := s.Plan.Points[best.Point]
	t := task{options: point.Options, parts: p, fraction: point.Fraction, refit: o.Sweep.Refit && p.val.Len() > 0, sweep: report.NewSweep(o.Sweep, o.Head, s, outcome, p.val.Len())}
	learn, err := share(ds, p.train, point.Fraction)
	if err != nil {
		return t, err
	}
	t.parts.train = learn
	if t.refit {
		t.parts.val = p.val.At(nil)
		if t.parts.train, err = share(ds, features.Joined(p.train, p.val), point.Fraction); err != nil {
			return t, err
		}
	}
	switch {
	case p.val.Len() == 0 && s.Plan.Folds > 0:
		t.unseen = foldedRows{ds, s.Plan.Folds}
	case p.val.Len() > 0 && t.refit:
		t.unseen = joinedRows{learn, p.val}
	default:
		t.unseen = validationRows{p.val}
	}
	if stop := &t.options.EarlyStopping; stop.Patience > 0 && t.parts.validation() == nil {
		// Nothing is left to stop by: as many epochs as the heads kept.
		stop.Patience = 0
		t.options.Epochs = max(best.BestEpoch, t.options.Warmup+1)
	}
	return t, nil
}

// share are the rows that a head learns from which takes a fraction of them.
func share(ds *dataset.Dataset, r *features.Rows, fraction float64) (*features.Rows, error) {
	if fraction == 1 {
		return r, nil
	}
	f, err := dataset.NewFolds(ds, r.Items, 0) // no folds, but the order in which rows are taken
	if err != nil {
		return nil, err
	}
	return r.At(f.Share(-1, fraction).Train), nil
}
