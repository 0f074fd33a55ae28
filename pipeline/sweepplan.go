package pipeline

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"icebox/headtrain"
)

// fractionKey is the axis that is no option of a head.
const fractionKey = "train_fraction"

// plan is a sweep, worked out: which heads are trained, in which order.
type plan struct {
	axes   []Axis
	points []point
	rungs  []rung
	seeds  int
	folds  int // 0 without cross-validation

	repeats int // points that were left out, for they are another's head
}

// point is one combination of the axes' values.
type point struct {
	values   []any             // beside the axes: float64, int or string
	options  headtrain.Options // with the first seed
	fraction float64           // of the training rows
}

// rung is one pass over the points: all of them, or those that are left of a
// halving, for so many epochs.
type rung struct {
	points int
	epochs int // 0 is as many as the point's options say
}

// halvingFactor is what a rung has more epochs and fewer points by than the last.
const halvingFactor = 3

// What a random search and a halving take where trials is 0.
const (
	randomTrials  = 32
	halvingTrials = 27
)

// MaxHeads is the most heads that a sweep trains without being told to, and
// maxHeads the most that it trains at all.
const (
	MaxHeads = 10_000
	maxHeads = 1_000_000
)

// newPlan works out the sweep s around the options base.
func newPlan(s Sweep, base headtrain.Options) (*plan, error) {
	if len(s.Axes) == 0 && s.Seeds == 1 && s.Folds == 0 {
		return nil, fmt.Errorf("%w: sweep.axes names nothing to try: say for instance sweep.axes.lr='{log: [1e-4, 1e-1], steps: 7}', or train one head with `icebox train`", headtrain.ErrOptions)
	}
	p := &plan{axes: s.Axes, seeds: s.Seeds, folds: s.Folds}
	if s.Method == "halving" && slices.ContainsFunc(s.Axes, func(a Axis) bool { return a.Key == "epochs" }) {
		return nil, fmt.Errorf("%w: sweep.axes.epochs: a halving gives out the epochs itself, up to head.epochs", headtrain.ErrOptions)
	}
	grid := s.grid()
	if heads := p.count(s, grid); heads > maxHeads {
		return nil, fmt.Errorf("%w: the sweep has %s heads (%s), more than the %s that there may be with --yes: try %s", ErrManyHeads, commas(heads), p.formula(s, grid), commas(maxHeads), p.fewer(s, maxHeads))
	}
	if grid {
		p.grid(nil)
	} else {
		p.draw(trials(s), base.Seed)
	}
	for i := range p.points {
		if err := p.points[i].apply(p.axes, base); err != nil {
			return nil, fmt.Errorf("point %s: %w", p.describe(p.points[i].values), err)
		}
	}
	p.dropRepeats(base)
	p.rungs = []rung{{points: len(p.points)}}
	if s.Method == "halving" {
		p.halve(base)
	}
	return p, nil
}

// dropRepeats leaves out points that train the head of an earlier one: lbfgs takes
// no notice of some axes.
func (p *plan) dropRepeats(base headtrain.Options) {
	seen := map[string]bool{}
	p.points = slices.DeleteFunc(p.points, func(q point) bool {
		o := q.options
		if o.Optimizer != headtrain.OptimizerLBFGS {
			return false
		}
		o.LR, o.BatchSize, o.Schedule = base.LR, base.BatchSize, base.Schedule
		head := fmt.Sprintf("%+v %v", o, q.fraction)
		again := seen[head]
		seen[head] = true
		if again {
			p.repeats++
		}
		return again
	})
}

// grid reports whether the points are every combination of the axes' values.
func (s Sweep) grid() bool {
	enumerable := !slices.ContainsFunc(s.Axes, func(a Axis) bool { return len(a.Values) == 0 && a.Steps == 0 })
	return s.Method == "grid" || s.Method == "halving" && s.Trials == 0 && enumerable
}

func trials(s Sweep) int {
	switch {
	case s.Trials > 0:
		return s.Trials
	case s.Method == "halving":
		return halvingTrials
	}
	return randomTrials
}

// count is the number of heads in the first rung, without making them.
func (p *plan) count(s Sweep, grid bool) float64 {
	points := float64(trials(s))
	if grid {
		points = 1
		for _, a := range s.Axes {
			points *= float64(a.size())
		}
	}
	return points * float64(p.seeds) * float64(max(1, p.folds))
}

// formula says how a number of heads comes about.
func (p *plan) formula(s Sweep, grid bool) string {
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
	if p.seeds > 1 {
		text += fmt.Sprintf(" × %d seeds", p.seeds)
	}
	if p.folds > 0 {
		text += fmt.Sprintf(" × %d folds", p.folds)
	}
	return text
}

// fewer says what to set to have at most limit heads: whatever there are most of, and
// as much of it as it takes.
func (p *plan) fewer(s Sweep, limit float64) string {
	grid := s.grid()
	each := float64(p.seeds) * float64(max(1, p.folds))
	type factor struct {
		n, enough float64
		advice    string
	}
	factors := []factor{
		{float64(p.seeds), 5, "sweep.seeds=5"}, {float64(p.folds), 5, "sweep.folds=5"},
		{p.count(s, grid) / each, 200, "sweep.trials=200"},
	}
	if grid {
		factors[2].advice = "fewer values or steps in sweep.axes, or sweep.method=random with sweep.trials=200"
	}
	slices.SortStableFunc(factors, func(a, b factor) int { return cmp.Compare(b.n/b.enough, a.n/a.enough) })
	var advice []string
	heads := p.count(s, grid)
	for _, f := range factors {
		if heads > limit && f.n > f.enough {
			advice = append(advice, f.advice)
			heads *= f.enough / f.n
		}
	}
	return strings.Join(advice, " and ")
}

// size is the most values that a has in a grid.
func (a Axis) size() int {
	if len(a.Values) > 0 {
		return len(a.Values)
	}
	return a.Steps
}

// grid adds every combination that begins with values, the last axis running
// fastest.
func (p *plan) grid(values []any) {
	if len(values) == len(p.axes) {
		p.points = append(p.points, point{values: slices.Clone(values)})
		return
	}
	for _, v := range p.axes[len(values)].grid() {
		p.grid(append(values, v))
	}
}

// grid lists the values of a, each once.
func (a Axis) grid() []any {
	values := a.Values
	if len(values) == 0 {
		for i := range a.Steps {
			values = append(values, a.at(float64(i)/float64(a.Steps-1)))
		}
	}
	var once []any
	for _, v := range values {
		if v = a.value(v); !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return once
}

// at is the value that lies at share t of a range.
func (a Axis) at(t float64) any {
	bounds, v := a.Lin, 0.0
	if len(a.Log) == 2 {
		bounds = a.Log
		v = bounds[0] * math.Pow(bounds[1]/bounds[0], t)
	} else {
		v = bounds[0] + t*(bounds[1]-bounds[0])
	}
	switch t {
	case 0:
		v = bounds[0]
	case 1:
		v = bounds[1]
	default:
		v = short(v)
	}
	return a.value(v)
}

// short rounds v to four digits, so that what a table shows is what was tried.
func short(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// value gives v the type of the option.
func (a Axis) value(v any) any {
	whole := a.Key == "batch_size" || a.Key == "epochs"
	switch n := v.(type) {
	case float64:
		if whole {
			return max(1, int(math.Round(n)))
		}
	case int:
		if !whole {
			return float64(n)
		}
	}
	return v
}

// draw adds n points drawn at random, or as many as there are different ones.
func (p *plan) draw(n int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x5eed))
	seen := map[string]bool{}
	for tries := 0; len(p.points) < n && tries < 20*n; tries++ {
		values := make([]any, len(p.axes))
		for i, a := range p.axes {
			u := float64(rng.Uint64()>>11) * 0x1p-53
			if len(a.Values) > 0 {
				values[i] = a.value(a.Values[int(u*float64(len(a.Values)))])
			} else {
				values[i] = a.at(u)
			}
		}
		if name := p.describe(values); !seen[name] {
			seen[name] = true
			p.points = append(p.points, point{values: values})
		}
	}
}

// halve makes the rungs of a successive halving: the last trains for all epochs.
func (p *plan) halve(base headtrain.Options) {
	least := base.Warmup + 1
	n, epochs := len(p.points), base.Epochs
	p.rungs = []rung{{epochs: epochs}}
	for left := n; left > 1 && epochs/halvingFactor >= least; left = (left + halvingFactor - 1) / halvingFactor {
		epochs /= halvingFactor
		p.rungs = append([]rung{{epochs: epochs}}, p.rungs...)
	}
	for i := range p.rungs {
		p.rungs[i].points = n
		n = (n + halvingFactor - 1) / halvingFactor
	}
}

// apply makes the point's options from base.
func (q *point) apply(axes []Axis, base headtrain.Options) error {
	q.options, q.fraction = base, 1
	for i, a := range axes {
		if err := q.set(a.Key, q.values[i]); err != nil {
			return err
		}
	}
	// Momentum is an option of one optimizer and says nothing to the others.
	if slices.ContainsFunc(axes, func(a Axis) bool { return a.Key == "optimizer" }) && q.options.Optimizer != headtrain.OptimizerSGD {
		q.options.Momentum, q.options.Nesterov = 0, false
	}
	if !(q.fraction > 0 && q.fraction <= 1) {
		return fmt.Errorf("%w: train_fraction (%v) must be above 0 and at most 1", headtrain.ErrOptions, q.fraction)
	}
	return q.options.Validate()
}

// set takes the value of one axis.
func (q *point) set(key string, value any) error {
	o := &q.options
	if key == "class_weights" {
		switch v := value.(type) {
		case string:
			o.ClassWeights = headtrain.ClassWeights{Mode: v}
			return nil
		case WeightMap:
			var err error
			o.ClassWeights, err = v.Weights()
			return err
		}
	}
	field, ok := map[string]any{
		"batch_size": &o.BatchSize, "epochs": &o.Epochs, "input": &o.Input, "label_smoothing": &o.LabelSmoothing, "lr": &o.LR,
		"optimizer": &o.Optimizer, "schedule": &o.Schedule, "weight_decay": &o.WeightDecay, fractionKey: &q.fraction,
	}[key]
	v := reflect.ValueOf(value)
	if !ok || !v.IsValid() || reflect.TypeOf(field).Elem() != v.Type() {
		return fmt.Errorf("%w: sweep.axes.%s has no value %v", headtrain.ErrOptions, key, value)
	}
	reflect.ValueOf(field).Elem().Set(v)
	return nil
}

// describe names values by their axes: "lr 0.01, weight_decay 0".
func (p *plan) describe(values []any) string {
	text := ""
	for i, v := range values {
		if i > 0 {
			text += ", "
		}
		text += p.axes[i].Key + " " + fmt.Sprint(v)
	}
	if text == "" {
		return "the options of head"
	}
	return text
}

// heads is the number of heads in all rungs.
func (p *plan) heads() int {
	n := 0
	for _, r := range p.rungs {
		n += r.points * p.seeds * max(1, p.folds)
	}
	return n
}

// epochs is the most epochs that the heads of a rung are trained for: of a rung
// that is not the first, whose points are not known yet, too.
func (p *plan) epochs(r rung) int {
	n := 0
	for i := range r.points {
		if r.epochs > 0 {
			n += r.epochs
		} else {
			n += p.points[i].options.Epochs
		}
	}
	return n * p.seeds * max(1, p.folds)
}
