package headtrain

import (
	"cmp"
	"math"
)

// watch follows the validation metric of a head. Without early stopping every
// epoch counts as the best so far.
type watch struct {
	options EarlyStopping
	score   float64 // of the best epoch; larger is better
	best    int     // the epoch
}

func newWatch(o EarlyStopping) *watch { return &watch{options: o, score: math.Inf(-1)} }

// see takes note of e and reports whether it is the best epoch so far.
func (w *watch) see(e Epoch) bool {
	if w.options.Patience == 0 {
		w.best = e.Epoch
		return true
	}
	score := w.options.score(e)
	if w.best > 0 && score-w.score <= w.options.MinDelta {
		return false
	}
	w.score, w.best = score, e.Epoch
	return true
}

// score returns the metric of an epoch, so that larger is better.
func (o EarlyStopping) score(e Epoch) float64 {
	v, more := e.Metric(cmp.Or(o.Metric, MetricValLoss))
	if more {
		return *v
	}
	return -*v
}

// exhausted reports whether patience runs out with the given epoch.
func (w *watch) exhausted(epoch int) bool {
	return w.options.Patience > 0 && epoch-w.best >= w.options.Patience
}
