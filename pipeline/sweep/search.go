package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// Search trains the heads of a plan.
type Search struct {
	Plan   *Plan
	Log    *Log
	Metric Metric

	Train *headtrain.Dataset
	Val   *headtrain.Dataset // what heads are validated on where there are no folds; nil is nothing
	Folds *dataset.Folds     // of the rows of Train

	Engine  headtrain.Engine
	Journal *journal.Journal
	// Batch bounds the heads, or folds of a path of heads, that are trained between two writes
	// of the log, whose weights are in memory; 0 is 4,096.
	Batch int
	// Trained is called when heads have been trained, before they are written to the log;
	// nil is not called.
	Trained func()
}

// Outcome is what a search came to.
type Outcome struct {
	Results []Result   // of every point, the best first
	Rungs   [][]Result // of each rung, whose points had the same number of epochs
	Resumed int        // heads that were in the log already
	Epochs  int        // that this search ran
	Seconds float64    // that this search took
}

// Best is the best point; it has failed only where every point has.
func (o *Outcome) Best() *Result { return &o.Results[0] }

// Run trains the heads that the log lacks, rung by rung. Where it is interrupted, the
// outcome says how far it came, without results; the log has what is done.
func (s *Search) Run(ctx context.Context) (*Outcome, error) {
	o := &Outcome{}
	if err := s.Log.check(s.Plan, s.Metric); err != nil {
		return o, err
	}
	todo := -s.Log.Epochs()
	for _, r := range s.Plan.Rungs {
		todo += s.Plan.Epochs(r)
	}
	s.Journal.Start("sweep", max(1, todo))
	t := &ongoing{Search: s, outcome: o, pace: newPace(s.Train, s.Engine.Name == headtrain.EngineFused, s.Batch), pathPace: newPathPace(s.Train, s.Batch)}
	begin := time.Now()
	defer func() { o.Seconds = journal.Seconds(time.Since(begin)) }()
	survivors := make([]int, len(s.Plan.Points))
	for i := range survivors {
		survivors[i] = i
	}
	for rung := range s.Plan.Rungs {
		if err := t.trainRung(ctx, rung, survivors); err != nil {
			o.Results = nil
			return o, err
		}
		results := s.collect(rung, survivors)
		rank(results, s.Metric)
		o.Rungs = append(o.Rungs, slices.Clone(results))
		survivors = s.surviving(rung, results)
		o.Results = append(results, dropped(o.Results, results)...)
	}
	rank(o.Results, s.Metric)
	return o, nil
}

// surviving are the points of the rung after this one.
func (s *Search) surviving(rung int, results []Result) []int {
	if rung+1 == len(s.Plan.Rungs) {
		return nil
	}
	var points []int
	for _, p := range results[:min(len(results), s.Plan.Rungs[rung+1].Points)] {
		if !p.Failed() {
			points = append(points, p.Point)
		}
	}
	slices.Sort(points)
	return points
}

// dropped are the results of earlier rungs that those of now do not replace.
func dropped(earlier, now []Result) []Result {
	var old []Result
	for _, p := range earlier {
		if !slices.ContainsFunc(now, func(q Result) bool { return q.Point == p.Point }) {
			old = append(old, p)
		}
	}
	return old
}

// collect sums up the heads of some points in a rung.
func (s *Search) collect(rung int, points []int) []Result {
	var all []Result
	for _, i := range points {
		q := s.Plan.Points[i]
		p := Result{Point: i, Rung: rung, Epochs: s.Plan.options(HeadID{Rung: rung, Point: i}).Epochs, Values: map[string]any{}}
		for n, a := range s.Plan.Axes {
			p.Values[a.Key] = q.Values[n]
		}
		for seed := range s.Plan.Seeds {
			for fold := range max(1, s.Plan.Folds) {
				p.Heads = append(p.Heads, s.Log.heads[HeadID{rung, i, seed, fold}])
			}
		}
		p.sum(s.Plan.Seeds)
		all = append(all, p)
	}
	return all
}

// options are those of one head.
func (p *Plan) options(id HeadID) headtrain.Options {
	o := p.Points[id.Point].Options
	o.Seed += uint64(id.Seed)
	if epochs := p.Rungs[id.Rung].Epochs; epochs > 0 {
		o.Epochs = epochs
	}
	return o
}

// headsOf lists the heads of some points in a rung, those that share batches side by
// side.
func (p *Plan) headsOf(rung int, points []int) []HeadID {
	var ids []HeadID
	for fold := range max(1, p.Folds) {
		for seed := range p.Seeds {
			for _, point := range points {
				ids = append(ids, HeadID{rung, point, seed, fold})
			}
		}
	}
	kinds := make(map[HeadID]string, len(ids))
	for _, id := range ids {
		o := p.options(id)
		kinds[id] = fmt.Sprintf("%04d %04d %.17f %s %09d %09d", id.Fold, id.Seed, p.Points[id.Point].Fraction, o.Input, o.BatchSize, o.Epochs)
	}
	slices.SortStableFunc(ids, func(a, b HeadID) int { return cmp.Compare(kinds[a], kinds[b]) })
	return ids
}

// ongoing is a search that is under way.
type ongoing struct {
	*Search
	outcome  *Outcome
	pace     *pace
	pathPace *pace
	best     *float64 // so far, of single heads, for the display; nil before the first
}

// trainRung trains the heads of a rung that the log has not, batch by batch.
func (t *ongoing) trainRung(ctx context.Context, rung int, points []int) error {
	var alone []HeadID // heads that are not on a path
	for _, id := range t.Plan.headsOf(rung, points) {
		switch _, done := t.Log.heads[id]; {
		case done:
			t.outcome.Resumed++
		case !t.onPath(id.Point):
			alone = append(alone, id)
		}
	}
	err := t.inBatches(t.pace, t.costs(alone), func(lo, hi int) error { return t.trainBatch(ctx, alone[lo:hi]) })
	if err != nil {
		return err
	}
	return t.trainPaths(ctx, rung, points)
}

// costs says what heads cost.
func (t *ongoing) costs(ids []HeadID) []headCost {
	costs := make([]headCost, len(ids))
	for i, id := range ids {
		o := t.Plan.options(id)
		costs[i] = headCost{o.BatchSize, o.Epochs, t.Plan.Points[id.Point].Fraction}
	}
	return costs
}

// inBatches trains what has the given costs, as much at a time as a pace allows.
func (t *ongoing) inBatches(pace *pace, costs []headCost, train func(lo, hi int) error) error {
	for lo := 0; lo < len(costs); {
		hi := lo + pace.take(costs[lo:])
		begin, before := time.Now(), t.outcome.Epochs
		if err := train(lo, hi); err != nil {
			return err
		}
		asked := 0
		for _, c := range costs[lo:hi] {
			asked += c.epochs
		}
		pace.took(costs[lo:hi], float64(t.outcome.Epochs-before)/float64(asked), time.Since(begin).Seconds())
		lo = hi
	}
	return nil
}

// trainBatch trains some heads in one job and logs them.
func (t *ongoing) trainBatch(ctx context.Context, ids []HeadID) error {
	job := headtrain.Job{Train: t.Train, OnEpoch: func(head int, e headtrain.Epoch) { t.epoch(ids[head], e) }}
	if t.Plan.Folds == 0 {
		job.Val = t.Val
	}
	for _, id := range ids {
		job.Heads = append(job.Heads, t.Plan.options(id))
		job.Parts = append(job.Parts, t.part(id))
	}
	results, err := t.Engine.Trainer.Fit(ctx, job)
	cancelled := ctx.Err() != nil && errors.Is(err, ctx.Err())
	if err != nil && !cancelled && !errors.Is(err, headtrain.ErrDiverged) {
		return err
	}
	var records []Record
	for i, r := range results {
		if r.Head == nil && cancelled {
			continue // it was not finished; nothing is lost of one that diverged
		}
		records = append(records, newRecord(ids[i], job.Heads[i], t.Plan.Points[ids[i].Point].Fraction, r))
	}
	if logged := t.keep(records); logged != nil || !cancelled {
		return logged
	}
	return err
}

// keep logs heads that have been trained.
func (t *ongoing) keep(records []Record) error {
	if len(records) > 0 && t.Trained != nil {
		t.Trained()
	}
	return t.Log.append(records)
}

// epoch shows how far the search is.
func (t *ongoing) epoch(id HeadID, e headtrain.Epoch) {
	t.outcome.Epochs++
	t.Journal.Add(1)
	validated := t.Val != nil || t.Plan.Folds > 0
	if m, _ := e.Metric(string(t.Metric)); validated && m == nil {
		return // the last epoch of L-BFGS alone is validated
	}
	if v := t.Metric.ofEpoch(e); t.best == nil || t.Metric.Better(v, *t.best) {
		t.best = &v
		t.Journal.Status(fmt.Sprintf("best %s: %s", t.Metric.Text(v), t.Plan.Describe(t.Plan.Points[id.Point].Values)))
	}
}

// part is what a head sees.
func (t *ongoing) part(id HeadID) headtrain.Part {
	fold := id.Fold
	if t.Plan.Folds == 0 {
		fold = -1
	}
	return headtrain.Part(t.Folds.Share(fold, t.Plan.Points[id.Point].Fraction))
}
