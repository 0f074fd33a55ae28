package pipeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"icebox/headtrain"
)

// metricTrainLoss ranks heads where nothing is held out.
const metricTrainLoss = "train_loss"

// metric is what heads are ranked by.
type metric struct{ name string }

func newMetric(name string) metric { return metric{name} }

// better reports whether a is better than b.
func (m metric) better(a, b float64) bool {
	if m.name == headtrain.MetricValAcc {
		return a > b
	}
	return a < b
}

func (m metric) text(v float64) string {
	if m.name == headtrain.MetricValAcc {
		return m.name + " " + percent(v)
	}
	return fmt.Sprintf("%s %.4g", m.name, v)
}

func (m metric) ofEpoch(e headtrain.Epoch) float64 {
	return m.pick(e.ValAcc, e.ValLoss, e.TrainLoss)
}

func (m metric) pick(valAcc, valLoss *float64, trainLoss float64) float64 {
	switch {
	case m.name == headtrain.MetricValAcc && valAcc != nil:
		return *valAcc
	case m.name == headtrain.MetricValLoss && valLoss != nil:
		return *valLoss
	}
	return trainLoss
}

// pointResult is what a point came to: means over its seeds, each of which is a
// mean over folds. It is a line of sweep.jsonl.
type pointResult struct {
	Rank      int            `json:"rank"`
	Values    map[string]any `json:"values"` // of the axes
	Epochs    int            `json:"epochs"` // asked for; fewer in an early rung of a halving
	ValAcc    *stat          `json:"val_acc"`
	ValLoss   *stat          `json:"val_loss"`
	TrainLoss *stat          `json:"train_loss"`
	BestEpoch int            `json:"best_epoch"` // median
	EpochsRun int            `json:"epochs_run"` // of all its heads
	Diverged  int            `json:"diverged"`   // heads that did
	Heads     []headRecord   `json:"heads"`

	Point int `json:"point"`
	Rung  int `json:"rung"`
}

// stat is a mean and how far the values lie apart: their standard deviation (n-1)
// over seeds, or over folds where there is one seed; 0 for a single value.
type stat struct {
	Mean   float64 `json:"mean"`
	Spread float64 `json:"spread"`
}

// failed reports whether a head of the point diverged: the rest would flatter it.
func (p *pointResult) failed() bool { return p.Diverged > 0 }

// score is the point's value in m; there is none if it failed.
func (p *pointResult) score(m metric) *stat {
	switch {
	case p.failed():
		return nil
	case m.name == headtrain.MetricValAcc:
		return p.ValAcc
	case m.name == headtrain.MetricValLoss:
		return p.ValLoss
	}
	return p.TrainLoss
}

// collect sums up the heads of the survivors in a rung.
func (s *sweep) collect(rung int) []pointResult {
	var all []pointResult
	for _, i := range s.survivors {
		q := s.plan.points[i]
		p := pointResult{Point: i, Rung: rung, Epochs: s.options(headID{Rung: rung, Point: i}).Epochs, Values: map[string]any{}}
		for n, a := range s.plan.axes {
			p.Values[a.Key] = q.values[n]
		}
		for seed := range s.plan.seeds {
			for fold := range max(1, s.plan.folds) {
				p.Heads = append(p.Heads, s.log.heads[headID{rung, i, seed, fold}])
			}
		}
		p.sum(s.plan.seeds)
		all = append(all, p)
	}
	return all
}

// sum fills p's numbers from its heads, which stand seed by seed.
func (p *pointResult) sum(seeds int) {
	var epochs []int
	for _, h := range p.Heads {
		p.EpochsRun += h.EpochsRun
		epochs = append(epochs, h.BestEpoch)
		if h.Diverged {
			p.Diverged++
		}
	}
	slices.Sort(epochs)
	p.BestEpoch = epochs[len(epochs)/2]
	if p.failed() {
		return
	}
	p.TrainLoss = statOver(p.Heads, seeds, func(h headRecord) float64 { return h.TrainLoss })
	if p.Heads[0].ValAcc != nil {
		p.ValAcc = statOver(p.Heads, seeds, func(h headRecord) float64 { return *h.ValAcc })
		p.ValLoss = statOver(p.Heads, seeds, func(h headRecord) float64 { return *h.ValLoss })
	}
}

// statOver is the mean over all heads, and the spread of the means of seeds.
func statOver(heads []headRecord, seeds int, of func(headRecord) float64) *stat {
	var values []float64
	folds := len(heads) / seeds
	for at := 0; at < len(heads); at += folds {
		sum := 0.0
		for _, h := range heads[at : at+folds] {
			sum += of(h)
			if seeds == 1 {
				values = append(values, of(h))
			}
		}
		if seeds > 1 {
			values = append(values, sum/float64(folds))
		}
	}
	s := &stat{}
	for _, v := range values {
		s.Mean += v / float64(len(values))
	}
	if len(values) > 1 {
		for _, v := range values {
			s.Spread += (v - s.Mean) * (v - s.Mean) / float64(len(values)-1)
		}
	}
	s.Spread = math.Sqrt(s.Spread)
	return s
}

// rank sorts results, the best first: those of later rungs before those of earlier
// ones, which had fewer epochs; then by the metric, then by validation loss, then
// in the order of the plan. Points of which a head diverged come last.
func (s *sweep) rank(results []pointResult) {
	slices.SortFunc(results, func(a, b pointResult) int {
		if a.failed() != b.failed() {
			if a.failed() {
				return 1
			}
			return -1
		}
		if c := cmp.Compare(b.Rung, a.Rung); c != 0 {
			return c
		}
		if a.failed() {
			return cmp.Compare(a.Point, b.Point)
		}
		x, y := a.score(s.metric).Mean, b.score(s.metric).Mean
		switch {
		case s.metric.better(x, y):
			return -1
		case s.metric.better(y, x):
			return 1
		}
		if a.ValLoss != nil {
			if c := cmp.Compare(a.ValLoss.Mean, b.ValLoss.Mean); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.Point, b.Point)
	})
	for i := range results {
		results[i].Rank = i + 1
	}
}

// AxisShare is the share of the metric's variance between points that the main
// effect of an axis explains.
type AxisShare struct {
	Axis  string  `json:"axis"`
	Share float64 `json:"share"`
}

// importance says how much each axis matters, the most first: between-group sum of
// squares over the total, points grouped by the axis' value, or by ranges of it
// where it has many. Points that failed have no value and are left out.
func importance(results []pointResult, axes []Axis, m metric) []AxisShare {
	var points []pointResult
	mean := 0.0
	for _, p := range results {
		if !p.failed() {
			points = append(points, p)
			mean += p.score(m).Mean
		}
	}
	mean /= float64(len(points))
	total := 0.0
	for _, p := range points {
		total += sq(p.score(m).Mean - mean)
	}
	shares := []AxisShare{}
	for _, a := range axes {
		share := AxisShare{Axis: a.Key}
		if total > 0 {
			for _, group := range grouped(points, a.Key) {
				sum := 0.0
				for _, p := range group {
					sum += p.score(m).Mean - mean
				}
				share.Share += sum * sum / float64(len(group)) / total
			}
		}
		shares = append(shares, share)
	}
	slices.SortStableFunc(shares, func(a, b AxisShare) int { return cmp.Compare(b.Share, a.Share) })
	return shares
}

func sq(x float64) float64 { return x * x }

// manyValues is how many values of an axis are groups of their own. More of them
// are cut into ranges of at least perGroup points.
const (
	manyValues = 8
	perGroup   = 5
)

// grouped groups points by their value on an axis.
func grouped(points []pointResult, axis string) [][]pointResult {
	byValue := map[any][]pointResult{}
	for _, p := range points {
		byValue[p.Values[axis]] = append(byValue[p.Values[axis]], p)
	}
	var groups [][]pointResult
	if len(byValue) <= manyValues {
		for _, p := range points { // in an order that does not change
			if g := byValue[p.Values[axis]]; g != nil {
				groups = append(groups, g)
				delete(byValue, p.Values[axis])
			}
		}
		return groups
	}
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b pointResult) int { return cmp.Compare(number(a.Values[axis]), number(b.Values[axis])) })
	n := min(manyValues, max(2, len(sorted)/perGroup))
	for i := range n {
		lo, hi := i*len(sorted)/n, (i+1)*len(sorted)/n
		groups = append(groups, sorted[lo:hi])
	}
	return groups
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}
