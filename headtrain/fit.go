package headtrain

import (
	"encoding/json"
	"slices"

	"icebox/headtrain/internal/finite"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/perclass"
)

// fit is one head in training, a member of a stack.
type fit struct {
	index     int // its place in the job
	options   Options
	objective *objective
	optimizer optimizer
	schedule  schedule
	average   *average
	params    []float32 // its part of the stack's weights
	best      []float32 // the weights to keep; nil without early stopping
	last      *Head     // of the last epoch, if that is not the best
	watch     *watch
	stopped   string
	gradient  float64 // its largest value at the end; lbfgs only
	err       error   // why its training ended early

	sum         tally   // of the current pass
	weight      float64 // of the rows in sum
	batchWeight float64 // of the current batch
	lr          float64 // of the last step
	history     []Epoch
	measured    []measures      // what the pointers in history point to
	classes     perclass.Counts // of the current pass over the validation rows
}

// newFit prepares a head with options that have their defaults.
func newFit(isa kernel.ISA, index int, o Options, v *view, params []float32) *fit {
	train := v.train
	n := len(train.Rows)
	size := min(o.BatchSize, n)
	f := &fit{
		index: index, options: o, params: params,
		objective: newObjective(o, train),
		optimizer: newOptimizer(o, isa, len(params)),
		schedule:  newSchedule(o, ceilDiv(n, size)),
		average:   newAverage(o, isa, len(params)),
		watch:     newWatch(o.EarlyStopping),
		history:   make([]Epoch, 0, o.Epochs),
	}
	if v.val != nil {
		f.measured, f.classes = make([]measures, o.Epochs), make(perclass.Counts, len(train.Classes))
	}
	if o.EarlyStopping.Patience > 0 {
		f.best = make([]float32, len(params))
	}
	return f
}

// tally is the sum over some rows that were judged.
type tally struct {
	loss float64
	rows int
	hits int // classified correctly
}

func (t tally) accuracy() float64 { return float64(t.hits) / float64(t.rows) }

// trained adds an epoch to the history, from the sums over its batches. The average
// of the weights, if there is one, then takes their place until the next epoch.
func (f *fit) trained(epoch int) {
	e := Epoch{Epoch: epoch, LR: f.lr, TrainLoss: f.sum.loss / f.weight, TrainAcc: f.sum.accuracy()}
	switch {
	case !finite.Is(f.sum.loss):
		f.err = f.diverged(epoch, "the loss")
	case !finite.All(f.params):
		f.err = f.diverged(epoch, "a weight")
	default:
		f.history = append(f.history, e)
	}
	f.average.exchange(f.params)
}

// validated adds the validation numbers to the last epoch.
func (f *fit) validated() {
	e := &f.history[len(f.history)-1]
	loss := f.sum.loss / float64(f.sum.rows)
	if !finite.Is(loss) {
		f.err = f.diverged(e.Epoch, "the validation loss")
		f.history = f.history[:len(f.history)-1]
		return
	}
	m := &f.measured[e.Epoch-1]
	*m = measures{loss, f.sum.accuracy(), f.classes.MacroF1(), f.classes.BalancedAccuracy()}
	m.into(e)
}

// finished takes note of the last epoch, keeps its weights if they are the best
// so far, and reports whether training is over.
func (f *fit) finished() bool {
	if f.err != nil {
		return true
	}
	e := f.history[len(f.history)-1]
	if f.watch.see(e) && f.best != nil {
		copy(f.best, f.params)
	}
	switch {
	case f.watch.exhausted(e.Epoch):
		f.stopped = StoppedEarly
	case e.Epoch == f.options.Epochs:
		f.stopped = StoppedEpochs
	}
	return f.stopped != ""
}

// restore goes back to the weights of the best epoch, if that is not the last one.
func (f *fit) restore(s *stack) {
	if f.best == nil || f.err != nil || f.watch.best == len(f.history) {
		return
	}
	f.last, _ = f.head(s, len(f.history)) // without it, the result lacks Last alone
	copy(f.params, f.best)
}

func (f *fit) diverged(epoch int, what string) error {
	return &Divergence{What: what, Epoch: epoch, Options: f.options}
}

// result makes the head of the kept weights. f.sum is that of the training rows
// under them.
func (f *fit) result(s *stack) (Result, error) {
	loss := f.sum.loss / float64(f.sum.rows)
	if f.err == nil && !finite.Is(loss) {
		f.err = f.diverged(len(f.history), "the final loss")
	}
	if f.err != nil {
		return Result{History: f.history}, f.err
	}
	head, err := f.head(s, f.watch.best)
	return Result{
		Head: head, Last: f.last, History: f.history, BestEpoch: f.watch.best, Stopped: f.stopped, Gradient: f.gradient,
		TrainLoss: loss, EpochSeconds: medianSeconds(f.history),
	}, err
}

// head makes a head of the weights of an epoch, with the map of features folded in.
func (f *fit) head(s *stack, epoch int) (*Head, error) {
	d, k := s.dim, s.classes
	h := &Head{Classes: slices.Clone(s.train.Classes), Dim: d, W: make([]float32, k*d), B: make([]float32, k)}
	if f.options.Input == InputL2 {
		h.Input = InputL2
	}
	for c := range k {
		class := f.params[c*s.stride:]
		w := h.W[c*d : (c+1)*d]
		copy(w, class)
		h.B[c] = s.input.Fold(w, class[d])
	}
	if !finite.All(h.W) || !finite.All(h.B) {
		return nil, f.diverged(epoch, "a weight for raw features")
	}
	var err error
	h.Recipe, err = json.Marshal(recipe{engineOf(f.options), f.options, len(s.train.Rows), len(f.history), epoch})
	return h, err
}
