package sweep

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"icebox/headtrain"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// FractionKey is the axis that is no option of a head: the share of the training rows.
const FractionKey = "train_fraction"

// Plan is a sweep, worked out: which heads are trained, in which order.
type Plan struct {
	Axes   []Axis
	Points []Point
	Rungs  []Rung
	Seeds  int
	Folds  int // 0 without cross-validation

	Repeats int // points that were left out because they train another point's head
}

// Rung is one pass over the points: all of them, or those that are left of a
// halving, for so many epochs.
type Rung struct {
	Points int
	Epochs int // 0 is as many as the point's options say
}

// halvingFactor is how many times more epochs, and fewer points, a rung has than the one
// before it.
const halvingFactor = 3

// What a random search and a halving take where trials is 0.
const (
	randomTrials  = 32
	halvingTrials = 27
)

// MaxHeads is the most heads that a sweep trains without being told to, and
// mostHeadsEver the most that it trains at all.
const (
	MaxHeads      = 10_000
	mostHeadsEver = 1_000_000
)

// NewPlan works out the sweep s around the options base. It returns [ErrNothing] for one
// without axes, seeds or folds, and [ErrTooManyHeads] past a million heads.
func NewPlan(s Options, base headtrain.Options) (*Plan, error) {
	if len(s.Axes) == 0 && s.Seeds == 1 && s.Folds == 0 {
		return nil, ErrNothing
	}
	p := &Plan{Axes: s.Axes, Seeds: s.Seeds, Folds: s.Folds}
	if s.Method == Halving && slices.ContainsFunc(s.Axes, func(a Axis) bool { return a.Key == "epochs" }) {
		return nil, fmt.Errorf("%w: a halving sets the epochs itself, up to those of the head, so they cannot be an axis", headtrain.ErrOptions)
	}
	grid := s.enumerates()
	if heads := p.count(s, grid); heads > mostHeadsEver {
		return nil, journal.WithSteps(fmt.Errorf("%w: the sweep has %s heads (%s), and %s is the most that there may be",
			ErrTooManyHeads, words.Number(heads), p.formula(s, grid), words.Number(mostHeadsEver)), p.fewer(s, mostHeadsEver)...)
	}
	if grid {
		p.addGrid(nil)
	} else {
		p.draw(trials(s), base.Seed)
	}
	for i := range p.Points {
		if err := p.Points[i].apply(p.Axes, base); err != nil {
			return nil, fmt.Errorf("point %s: %w", p.Describe(p.Points[i].Values), err)
		}
	}
	p.dropRepeats()
	p.Rungs = []Rung{{Points: len(p.Points)}}
	if s.Method == Halving {
		p.halve(base)
	}
	return p, nil
}

// dropRepeats leaves out points that train the head of an earlier one: lbfgs takes
// no notice of some axes.
func (p *Plan) dropRepeats() {
	seen := map[string]bool{}
	p.Points = slices.DeleteFunc(p.Points, func(q Point) bool {
		o := q.Options
		if o.Optimizer != headtrain.OptimizerLBFGS {
			return false
		}
		head := fmt.Sprintf("%+v %v", heeded(o), q.Fraction)
		again := seen[head]
		seen[head] = true
		if again {
			p.Repeats++
		}
		return again
	})
}

// heeded is options of L-BFGS without those that it takes no notice of.
func heeded(o headtrain.Options) headtrain.Options {
	o.LR, o.BatchSize, o.Schedule = 0, 0, ""
	return o
}

// enumerates reports whether the points are every combination of the axes' values.
func (s Options) enumerates() bool {
	enumerable := !slices.ContainsFunc(s.Axes, func(a Axis) bool { return len(a.Values) == 0 && a.Steps == 0 })
	return s.Method == Grid || s.Method == Halving && s.Trials == 0 && enumerable
}

func trials(s Options) int {
	switch {
	case s.Trials > 0:
		return s.Trials
	case s.Method == Halving:
		return halvingTrials
	}
	return randomTrials
}

// count is the number of heads in the first rung, without making them.
func (p *Plan) count(s Options, grid bool) float64 {
	points := float64(trials(s))
	if grid {
		points = 1
		for _, a := range s.Axes {
			points *= float64(a.size())
		}
	}
	return points * float64(p.Seeds) * float64(max(1, p.Folds))
}

// formula says how a number of heads comes about.
func (p *Plan) formula(s Options, grid bool) string {
	text := fmt.Sprintf("%d points", trials(s))
	if grid {
		text = ""
		for _, a := range s.Axes {
			if text != "" {
				text += " × "
			}
			text += fmt.Sprintf("%d %s", a.size(), a.Key)
		}
	}
	if p.Seeds > 1 {
		text += fmt.Sprintf(" × %d seeds", p.Seeds)
	}
	if p.Folds > 0 {
		text += fmt.Sprintf(" × %d folds", p.Folds)
	}
	return text
}

// Fewer says what to change to have at most [MaxHeads] heads.
func (p *Plan) Fewer(s Options) []journal.Step { return p.fewer(s, MaxHeads) }

// fewer says what to change to have at most limit heads: whatever there are most of, and
// as much of it as it takes.
func (p *Plan) fewer(s Options, limit float64) []journal.Step {
	grid := s.enumerates()
	each := float64(p.Seeds) * float64(max(1, p.Folds))
	type factor struct {
		n, enough float64
		steps     []journal.Step
	}
	factors := []factor{
		{float64(p.Seeds), 5, []journal.Step{journal.SetTo("Sweep.Seeds", 5)}}, {float64(p.Folds), 5, []journal.Step{journal.SetTo("Sweep.Folds", 5)}},
		{p.count(s, grid) / each, 200, []journal.Step{journal.SetTo("Sweep.Trials", 200)}},
	}
	if grid {
		factors[2].steps = []journal.Step{{Do: journal.Lower, Field: "Sweep.Axes"}, journal.SetTo("Sweep.Method", Random), journal.SetTo("Sweep.Trials", 200)}
	}
	slices.SortStableFunc(factors, func(a, b factor) int { return cmp.Compare(b.n/b.enough, a.n/a.enough) })
	var steps []journal.Step
	heads := p.count(s, grid)
	for _, f := range factors {
		if heads > limit && f.n > f.enough {
			steps = append(steps, f.steps...)
			heads *= f.enough / f.n
		}
	}
	return steps
}

// addGrid adds every combination that begins with values, the last axis running
// fastest.
func (p *Plan) addGrid(values []any) {
	if len(values) == len(p.Axes) {
		p.Points = append(p.Points, Point{Values: slices.Clone(values)})
		return
	}
	for _, v := range p.Axes[len(values)].grid() {
		p.addGrid(append(values, v))
	}
}

// draw adds n points drawn at random, or as many as there are different ones.
func (p *Plan) draw(n int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x5eed))
	seen := map[string]bool{}
	for tries := 0; len(p.Points) < n && tries < 20*n; tries++ {
		values := make([]any, len(p.Axes))
		for i, a := range p.Axes {
			u := float64(rng.Uint64()>>11) * 0x1p-53
			if len(a.Values) > 0 {
				values[i] = a.value(a.Values[int(u*float64(len(a.Values)))])
			} else {
				values[i] = a.at(u)
			}
		}
		if name := p.Describe(values); !seen[name] {
			seen[name] = true
			p.Points = append(p.Points, Point{Values: values})
		}
	}
}

// halve makes the rungs of a successive halving: the last trains for all epochs.
func (p *Plan) halve(base headtrain.Options) {
	least := base.Warmup + 1
	n, epochs := len(p.Points), base.Epochs
	p.Rungs = []Rung{{Epochs: epochs}}
	for left := n; left > 1 && epochs/halvingFactor >= least; left = (left + halvingFactor - 1) / halvingFactor {
		epochs /= halvingFactor
		p.Rungs = append([]Rung{{Epochs: epochs}}, p.Rungs...)
	}
	for i := range p.Rungs {
		p.Rungs[i].Points = n
		n = (n + halvingFactor - 1) / halvingFactor
	}
}

// Describe names values by their axes: "lr 0.01, weight_decay 0".
func (p *Plan) Describe(values []any) string {
	text := ""
	for i, v := range values {
		if i > 0 {
			text += ", "
		}
		text += p.Axes[i].Key + " " + fmt.Sprint(v)
	}
	if text == "" {
		return "the options as they are"
	}
	return text
}

// Heads is the number of heads in all rungs.
func (p *Plan) Heads() int {
	n := 0
	for _, r := range p.Rungs {
		n += r.Points * p.Seeds * max(1, p.Folds)
	}
	return n
}

// Epochs is the most epochs that the heads of a rung may be trained for. It holds for
// later rungs too, whose points are not chosen yet.
func (p *Plan) Epochs(r Rung) int {
	n := 0
	for i := range r.Points {
		if r.Epochs > 0 {
			n += r.Epochs
		} else {
			n += p.Points[i].Options.Epochs
		}
	}
	return n * p.Seeds * max(1, p.Folds)
}
