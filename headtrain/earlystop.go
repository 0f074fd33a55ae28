package headtrain

import "math"

// watch follows the validation metric. Without early stopping every epoch
// counts as the best so far.
type watch struct {
	options EarlyStopping
	score   float64 // of the best epoch; larger is better
	best    int
}

func newWatch(o EarlyStopping) *watch { return &watch{options: o, score: math.Inf(-1)} }

// see tells whether e is the best epoch so far.
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

// score returns the metric of an epoch, larger for better.
func (o EarlyStopping) score(e Epoch) float64 {
	if o.Metric == MetricValAcc {
		return *e.ValAcc
	}
	return -*e.ValLoss
}

// exhausted tells whether patience ran out with the given epoch.
func (w *watch) exhausted(epoch int) bool {
	return w.options.Patience > 0 && epoch-w.best >= w.options.Patience
}
