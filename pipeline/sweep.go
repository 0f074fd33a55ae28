package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"icebox/headtrain"
)

var sweepProgram = []stage{
	{"load", loadFeatures},
	{"check", checkTrainable},
	{"gather", gatherRows},
	{"plan", planSweep},
	{"sweep", trainSweep},
	{"choose", chooseHead},
	{"train", trainHead},
	{"evaluate", evaluateHead},
	{"report", writeReport},
}

// SweepRun says how a sweep is to be run.
type SweepRun struct {
	Choice Choice
	// Resume is the folder of a sweep that was interrupted; "" begins a new one.
	Resume string
	// Confirmed lets a sweep have more than MaxHeads heads.
	Confirmed bool
}

// RunSweep trains the heads of o.Sweep, chooses among them by validation or by
// cross-validation, trains the best once more and reports on it as Train does. Only
// then is test looked at. What is done is kept as it goes; after an interruption
// the summary says where, and SweepRun.Resume goes on from there.
func RunSweep(ctx context.Context, o Options, r SweepRun, p Progress) (*SweepSummary, error) {
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	j.choice = r.Choice
	j.sweep = &sweep{run: r, base: o.Head}
	err = j.do(ctx, sweepProgram)
	return j.sweepSummary(), err
}

// sweep is the state that the stages of a sweep hand on.
type sweep struct {
	run     SweepRun
	base    headtrain.Options
	plan    *plan
	folding *folding
	log     *sweepLog
	pace    *pace
	metric  metric

	survivors []int         // points of the rung at hand
	first     []pointResult // of the first rung: all points, with equal means
	results   []pointResult
	chosen    *pointResult
	report    *SweepReport
	valRows   int
	seconds   float64 // training heads, in this process
	epochs    int     // run in this process
	resumed   int     // heads that were there already
	best      float64 // so far, of single heads, for the display
}

// planSweep works out which heads to train, and opens the folder they go to.
func planSweep(_ context.Context, j *job) error {
	s := j.sweep
	var err error
	if s.plan, err = newPlan(j.opts.Sweep, s.base); err != nil {
		return err
	}
	if n := s.plan.repeats; n > 0 {
		j.warn("lbfgs has no lr, batch_size or schedule: %s points that differ in nothing else from another are left out", commas(n))
	}
	n := s.plan.heads()
	if n > MaxHeads && !s.run.Confirmed {
		return fmt.Errorf("%w: the sweep has %s heads, more than %s: --yes trains them all; for fewer, try %s", ErrManyHeads, commas(n), commas(MaxHeads), s.plan.fewer(j.opts.Sweep, MaxHeads))
	}
	if err := j.checkStopping(s.base, s.plan.folds); err != nil {
		return err
	}
	train := j.train.parts[TrainPart]
	s.folding = &folding{}
	if s.plan.folds > 0 || slices.ContainsFunc(s.plan.axes, func(a Axis) bool { return a.Key == fractionKey }) {
		if s.folding, err = newFolding(j.ds, train, s.plan.folds); err != nil {
			return err
		}
	}
	s.metric, s.valRows = newMetric(j.opts.Sweep.Metric), j.train.counts.ValRows
	if s.plan.folds == 0 && j.train.validation() == nil {
		s.metric = newMetric(metricTrainLoss)
		j.warn("there are no validation rows and no folds: heads are ranked by their training loss, which says nothing of new images; give a validation part, or sweep.folds=5")
	}
	// What a head cannot be trained with shows now, and not after an hour.
	check := headtrain.Job{Train: train.data, Val: j.train.validation(), Heads: []headtrain.Options{s.base}}
	if s.plan.folds > 0 || check.Val != nil {
		check.Parts = []headtrain.Part{s.folding.part(s.plan.folds-1, 1)}
	}
	if err := errors.Join(check.Validate(), j.checkWeightMaps(check)); err != nil {
		return err
	}
	j.progress.Note(s.plan.size())
	if err := j.openSweep(); err != nil {
		return err
	}
	j.progress.Note(fmt.Sprintf("should it be interrupted, `icebox sweep --resume %s` goes on", j.train.dir.path))
	return nil
}

// size says how large a sweep is, for a person.
func (p *plan) size() string {
	epochs := 0
	text := fmt.Sprintf("%s points", commas(len(p.points)))
	for _, r := range p.rungs {
		epochs += p.epochs(r)
	}
	if p.seeds > 1 {
		text += fmt.Sprintf(" × %d seeds", p.seeds)
	}
	if p.folds > 0 {
		text += fmt.Sprintf(" × %d folds", p.folds)
	}
	if len(p.rungs) > 1 {
		text += ", halved in rungs of"
		for i, r := range p.rungs {
			text += strings.Repeat(",", min(i, 1)) + fmt.Sprintf(" %d (%d epochs)", r.points, r.epochs)
		}
	}
	return fmt.Sprintf("the sweep has %s: %s heads, %s epochs in all", text, commas(p.heads()), commas(epochs))
}

// trainSweep trains the heads, rung by rung.
func trainSweep(ctx context.Context, j *job) error {
	s := j.sweep
	todo := 0
	for _, r := range s.plan.rungs {
		todo += s.plan.epochs(r)
	}
	j.progress.Start("sweep", max(1, todo-s.log.epochs()))
	engine, err := j.opts.headEngine()
	if err != nil {
		return err
	}
	s.pace = newPace(j.train.parts[TrainPart].data, engine.Name == headtrain.EngineFused)
	begin := time.Now()
	defer func() { s.seconds = seconds(time.Since(begin)) }()
	for i := range s.plan.points {
		s.survivors = append(s.survivors, i)
	}
	for i := range s.plan.rungs {
		if err := s.trainRung(ctx, j, i); err != nil {
			return err
		}
		results := s.collect(i)
		s.rank(results)
		if i == 0 {
			s.first = slices.Clone(results)
		}
		s.results = append(results, s.dropped(results)...)
		if i+1 < len(s.plan.rungs) {
			s.survivors = s.survivors[:0:0]
			for _, p := range results[:min(len(results), s.plan.rungs[i+1].points)] {
				if !p.failed() {
					s.survivors = append(s.survivors, p.Point)
				}
			}
			slices.Sort(s.survivors)
		}
	}
	return nil
}

// dropped are the results of earlier rungs that this one does not replace.
func (s *sweep) dropped(now []pointResult) []pointResult {
	var old []pointResult
	for _, p := range s.results {
		if !slices.ContainsFunc(now, func(q pointResult) bool { return q.Point == p.Point }) {
			old = append(old, p)
		}
	}
	return old
}

// headsOf lists the heads of a rung, those that share batches side by side.
func (s *sweep) headsOf(rung int) []headID {
	var ids []headID
	for fold := range max(1, s.plan.folds) {
		for seed := range s.plan.seeds {
			for _, p := range s.survivors {
				ids = append(ids, headID{rung, p, seed, fold})
			}
		}
	}
	kind := func(id headID) string {
		o := s.options(id)
		return fmt.Sprintf("%04d %04d %.17f %s %09d %09d", id.Fold, id.Seed, s.plan.points[id.Point].fraction, o.Input, o.BatchSize, o.Epochs)
	}
	kinds := make(map[headID]string, len(ids))
	for _, id := range ids {
		kinds[id] = kind(id)
	}
	slices.SortStableFunc(ids, func(a, b headID) int { return cmp.Compare(kinds[a], kinds[b]) })
	return ids
}

// options are those of one head.
func (s *sweep) options(id headID) headtrain.Options {
	o := s.plan.points[id.Point].options
	o.Seed += uint64(id.Seed)
	if epochs := s.plan.rungs[id.Rung].epochs; epochs > 0 {
		o.Epochs = epochs
	}
	return o
}

// part is what a head sees.
func (s *sweep) part(id headID) headtrain.Part {
	fold := id.Fold
	if s.plan.folds == 0 {
		fold = -1
	}
	return s.folding.part(fold, s.plan.points[id.Point].fraction)
}

// trainRung trains the heads of a rung that the log has not, batch by batch.
func (s *sweep) trainRung(ctx context.Context, j *job, rung int) error {
	var todo []headID
	for _, id := range s.headsOf(rung) {
		if _, done := s.log.heads[id]; !done {
			todo = append(todo, id)
		} else {
			s.resumed++
		}
	}
	costs := make([]headCost, len(todo))
	for i, id := range todo {
		o := s.options(id)
		costs[i] = headCost{o.BatchSize, o.Epochs, s.plan.points[id.Point].fraction}
	}
	for len(todo) > 0 {
		n := s.pace.take(costs)
		begin, before := time.Now(), s.epochs
		if err := s.trainBatch(ctx, j, todo[:n]); err != nil {
			return err
		}
		asked := 0
		for _, c := range costs[:n] {
			asked += c.epochs
		}
		s.pace.took(costs[:n], float64(s.epochs-before)/float64(asked), time.Since(begin).Seconds())
		todo, costs = todo[n:], costs[n:]
	}
	return nil
}

// trainBatch trains some heads in one job and logs them.
func (s *sweep) trainBatch(ctx context.Context, j *job, ids []headID) error {
	job := headtrain.Job{Train: j.train.parts[TrainPart].data, OnEpoch: func(head int, e headtrain.Epoch) {
		s.epochs++
		j.progress.Add(1)
		if v := s.metric.ofEpoch(e); s.epochs == 1 || s.metric.better(v, s.best) {
			s.best = v
			j.progress.Status(fmt.Sprintf("best %s: %s", s.metric.text(v), s.plan.describe(s.plan.points[ids[head].Point].values)))
		}
	}}
	if s.plan.folds == 0 {
		job.Val = j.train.validation()
	}
	for _, id := range ids {
		job.Heads = append(job.Heads, s.options(id))
		job.Parts = append(job.Parts, s.part(id))
	}
	engine, err := j.opts.headEngine()
	if err != nil {
		return err
	}
	results, err := engine.Trainer.Fit(ctx, job)
	cancelled := ctx.Err() != nil && errors.Is(err, ctx.Err())
	if err != nil && !cancelled && !errors.Is(err, headtrain.ErrDiverged) {
		return err
	}
	var records []headRecord
	for i, r := range results {
		if r.Head == nil && cancelled {
			continue // not finished: of one that diverged, nothing is lost
		}
		records = append(records, newRecord(ids[i], job.Heads[i], s.plan.points[ids[i].Point].fraction, r))
	}
	if len(records) > 0 {
		j.train.dir.keep = true
	}
	if logged := s.log.append(records); logged != nil {
		return logged
	}
	if cancelled {
		return err
	}
	return nil
}

// chooseHead takes the best point, and makes of its options and of the rows that it
// is to learn from the job of one head.
func chooseHead(_ context.Context, j *job) error {
	s, t := j.sweep, j.train
	s.rank(s.results)
	s.chosen = &s.results[0]
	if s.chosen.failed() {
		t.dir.keep = false // to go on with it would end here again
		return s.allDiverged()
	}
	q := s.plan.points[s.chosen.Point]
	j.opts.Head = q.options
	if j.opts.Sweep.Refit {
		t.unjoined = maps.Clone(t.parts)
		t.parts[TrainPart] = joined(t.parts[TrainPart], t.parts[ValPart])
		t.parts[ValPart] = t.parts[ValPart].restrict([]int32{})
	}
	for _, parts := range []map[Part]*rows{t.parts, t.unjoined} {
		if parts == nil || q.fraction == 1 {
			continue
		}
		f, err := newFolding(j.ds, parts[TrainPart], 0)
		if err != nil {
			return err
		}
		parts[TrainPart] = parts[TrainPart].restrict(f.part(-1, q.fraction).Train)
	}
	if j.opts.Head.EarlyStopping.Patience > 0 && t.validation() == nil {
		// Nothing is left to stop by: as many epochs as the heads kept.
		j.opts.Head.EarlyStopping.Patience = 0
		j.opts.Head.Epochs = max(s.chosen.BestEpoch, j.opts.Head.Warmup+1)
	}
	t.counts.TrainRows, t.counts.ValRows = len(t.parts[TrainPart].items), len(t.parts[ValPart].items)
	return nil
}

// allDiverged is why no head of the sweep can be chosen.
func (s *sweep) allDiverged() error {
	low, high, diverged := math.Inf(1), 0.0, 0
	for _, r := range s.log.heads {
		low, high = min(low, r.Options.LR), max(high, r.Options.LR)
		if r.Diverged {
			diverged++
		}
	}
	rates := fmt.Sprintf("at lr %.3g", low)
	if high > low {
		rates += fmt.Sprintf(" to %.3g", high)
	}
	advice := "sweep.axes.lr='{log: [1e-4, 1e-1], steps: 7}'"
	if low <= 1e-3 {
		advice = fmt.Sprintf("sweep.axes.lr='{log: [%.0e, %.0e], steps: 7}'", low/1000, low/10)
	}
	if s.base.Input == headtrain.InputNone {
		advice += " and head.input=standardise"
	}
	who := fmt.Sprintf("all %s heads of the sweep did", commas(diverged))
	if diverged < len(s.log.heads) {
		who = fmt.Sprintf("%s of %s heads of the sweep did, one of every point at least", commas(diverged), commas(len(s.log.heads)))
	}
	return fmt.Errorf("%w: %s, %s: begin a new sweep with lower rates, such as %s; nothing was kept of this one", headtrain.ErrDiverged, who, rates, advice)
}

// openSweep makes the sweep's folder, or opens that of one to be resumed.
func (j *job) openSweep() error {
	s := j.sweep
	recipe := j.sweepRecipe()
	if s.run.Resume != "" {
		log, err := resumeSweepLog(s.run.Resume, recipe)
		if err != nil {
			return err
		}
		s.log = log
		if j.train.dir, err = reopenRunDir(s.run.Resume); err != nil {
			return err
		}
		if err := s.checkLog(); err != nil {
			return err
		}
		j.progress.Note(fmt.Sprintf("going on with %s: %s of %s heads are there", filepath.Base(s.run.Resume), commas(len(log.heads)), commas(s.plan.heads())))
		return nil
	}
	dir, err := newRunDir(j.opts.Output, j.ds.Name+"-sweep")
	if err != nil {
		return err
	}
	j.train.dir = dir
	s.log, err = newSweepLog(dir.path, recipe)
	return err
}

// checkLog refuses heads that the plan does not have: those of another icebox.
func (s *sweep) checkLog() error {
	for id, r := range s.log.heads {
		if id.Rung >= len(s.plan.rungs) || id.Point >= len(s.plan.points) || id.Seed >= s.plan.seeds || id.Fold >= max(1, s.plan.folds) || !sameOptions(s.options(id), r.Options) {
			return fmt.Errorf("%w: head %+v in %s is not in this sweep: it was written by another version (%s); begin a new sweep", ErrResume, id, s.log.path, s.log.recipe.Program)
		}
	}
	return nil
}
