package sweep

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"icebox/pipeline/fault"
	"icebox/pipeline/words"
)

// How the axes are searched.
const (
	Grid    = "grid"    // every combination of values
	Random  = "random"  // combinations drawn at random
	Halving = "halving" // many points for few epochs, the best third of them for thrice as many, and so on
)

// Options describe a search over head options.
type Options struct {
	Method string // Grid, Random or Halving
	Metric string // one of those of a validation, such as headtrain.MetricValAcc
	Seeds  int
	Folds  int
	Trials int
	Refit  bool // train the chosen options again, on training and validation rows
	Axes   []Axis
}

// Keys are the options that a sweep may vary: those of a head by their JSON names, and
// [FractionKey].
var Keys = []string{"batch_size", "class_weights", "epochs", "input", "label_smoothing", "lr", "optimizer", "schedule", FractionKey, "weight_decay"}

var (
	// ErrNothing is returned for a sweep that has nothing to try.
	ErrNothing = errors.New("nothing to sweep")
	// ErrManyHeads is returned for a sweep of more heads than anybody wants by mistake.
	ErrManyHeads = errors.New("many heads")
	// ErrTooManyHeads, an [ErrManyHeads], is returned for a sweep of more heads than there
	// may be.
	ErrTooManyHeads = fmt.Errorf("too %w", ErrManyHeads)
	// ErrResume is returned for a sweep that cannot be resumed: it is not there, it is
	// complete, or it was begun with other settings.
	ErrResume = errors.New("not to be resumed")
)

// Validate returns every fault of o.
func (o Options) Validate() error {
	var l fault.List
	l.Check(slices.Contains(Choices()["Method"], o.Method), "Method", "%q is not known: choose %s", o.Method, words.Or(Choices()["Method"]))
	l.Check(slices.Contains(Choices()["Metric"], o.Metric), "Metric", "%q is not known: choose %s", o.Metric, words.Or(Choices()["Metric"]))
	l.Check(o.Seeds >= 1, "Seeds", "(%d) must be ≥ 1", o.Seeds)
	l.Check(o.Folds >= 0 && o.Folds != 1, "Folds", "(%d) must be 0 or ≥ 2", o.Folds)
	l.Check(o.Trials >= 0, "Trials", "(%d) must be ≥ 0", o.Trials)
	for _, a := range o.Axes {
		a.validate(&l, o.Method)
	}
	return l.Err()
}

func (a Axis) validate(l *fault.List, method string) {
	field := "Axes." + a.Key
	l.Check(slices.Contains(Keys, a.Key), field, "is not an option to sweep: choose from %s", strings.Join(Keys, ", "))
	bounds := slices.Concat(a.Log, a.Lin)
	ranged := len(bounds) != 0
	l.Check(len(a.Values) != 0 || ranged, field, "needs a list of values, or a range: {log: [a, b]} or {lin: [a, b]}")
	l.Check(!ranged || len(bounds) == 2 && bounds[0] < bounds[1] && !math.IsInf(bounds[0], 0) && !math.IsInf(bounds[1], 0), field, "must be a range of two finite numbers, the lower first")
	l.Check(len(a.Log) != 2 || a.Log[0] > 0, field, "is a log range, which must begin above 0")
	l.Check(!ranged || method != Grid || a.Steps >= 2, field, "is a range in a grid, which needs steps ≥ 2")
	l.Check(a.Steps >= 0, field, "has steps (%d) that must be ≥ 0", a.Steps)
}
