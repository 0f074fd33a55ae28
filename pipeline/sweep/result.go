package sweep

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"icebox/headtrain"
	"icebox/pipeline/words"
)

// TrainLoss is the metric where nothing is held out.
const TrainLoss = "train_loss"

// Metric is what heads are ranked by: one of the metrics of [headtrain.Epoch.Metric], or
// [TrainLoss].
type Metric string

// Better reports whether a is better than b.
func (m Metric) Better(a, b float64) bool {
	if m.MoreIsBetter() {
		return a > b
	}
	return a < b
}

// MoreIsBetter reports whether the best value is the largest one.
func (m Metric) MoreIsBetter() bool {
	_, more := headtrain.Epoch{}.Metric(string(m))
	return more
}

// IsAccuracy reports whether m is a share of answers that are right.
func (m Metric) IsAccuracy() bool {
	return m == headtrain.MetricValAcc || m == headtrain.MetricValBalancedAcc
}

// Text writes a value with the metric's name.
func (m Metric) Text(v float64) string {
	if m.IsAccuracy() {
		return string(m) + " " + words.Percent(v)
	}
	return fmt.Sprintf("%s %.4g", m, v)
}

func (m Metric) ofEpoch(e headtrain.Epoch) float64 {
	if v, _ := e.Metric(string(m)); v != nil {
		return *v
	}
	return e.TrainLoss
}

// Result is what a point came to: means over its seeds, each of which is a
// mean over folds. It is a line of [ResultFile].
type Result struct {
	Rank    int            `json:"rank"`
	Values  map[string]any `json:"values"` // of the axes
	Epochs  int            `json:"epochs"` // asked for; fewer in an early rung of a halving
	ValAcc  *Stat          `json:"val_acc"`
	ValLoss *Stat          `json:"val_loss"`

	ValMacroF1     *Stat `json:"val_macro_f1,omitempty"`
	ValBalancedAcc *Stat `json:"val_balanced_acc,omitempty"`

	TrainLoss *Stat    `json:"train_loss"`
	BestEpoch int      `json:"best_epoch"` // median
	EpochsRun int      `json:"epochs_run"` // of all its heads
	Diverged  int      `json:"diverged"`   // heads that did
	Heads     []Record `json:"heads"`

	Point int `json:"point"`
	Rung  int `json:"rung"`
}

// Stat is a mean and how far the values lie apart: their standard deviation (n-1)
// over seeds, or over folds where there is one seed; 0 for a single value.
type Stat struct {
	Mean   float64 `json:"mean"`
	Spread float64 `json:"spread"`
}

// Failed reports whether a head of the point diverged. A mean over the others would make
// the point look too good.
func (p *Result) Failed() bool { return p.Diverged > 0 }

// Score is the point's value in m; there is none if it failed.
func (p *Result) Score(m Metric) *Stat {
	switch {
	case p.Failed():
		return nil
	case m == headtrain.MetricValAcc:
		return p.ValAcc
	case m == headtrain.MetricValLoss:
		return p.ValLoss
	case m == headtrain.MetricValMacroF1:
		return p.ValMacroF1
	case m == headtrain.MetricValBalancedAcc:
		return p.ValBalancedAcc
	}
	return p.TrainLoss
}

// sum fills p's numbers from its heads, which stand seed by seed.
func (p *Result) sum(seeds int) {
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
	if p.Failed() {
		return
	}
	p.TrainLoss = statOver(p.Heads, seeds, func(h Record) float64 { return h.TrainLoss })
	if p.Heads[0].ValAcc != nil {
		p.ValAcc = statOver(p.Heads, seeds, func(h Record) float64 { return *h.ValAcc })
		p.ValLoss = statOver(p.Heads, seeds, func(h Record) float64 { return *h.ValLoss })
	}
	if !slices.ContainsFunc(p.Heads, func(h Record) bool { return h.ValMacroF1 == nil }) {
		p.ValMacroF1 = statOver(p.Heads, seeds, func(h Record) float64 { return *h.ValMacroF1 })
		p.ValBalancedAcc = statOver(p.Heads, seeds, func(h Record) float64 { return *h.ValBalancedAcc })
	}
}

// statOver is the mean over all heads, and the spread of the means of seeds.
func statOver(heads []Record, seeds int, of func(Record) float64) *Stat {
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
	s := &Stat{}
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
func rank(results []Result, m Metric) {
	slices.SortFunc(results, func(a, b Result) int {
		if a.Failed() != b.Failed() {
			if a.Failed() {
				return 1
			}
			return -1
		}
		if c := cmp.Compare(b.Rung, a.Rung); c != 0 {
			return c
		}
		if a.Failed() {
			return cmp.Compare(a.Point, b.Point)
		}
		x, y := a.Score(m).Mean, b.Score(m).Mean
		switch {
		case m.Better(x, y):
			return -1
		case m.Better(y, x):
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
