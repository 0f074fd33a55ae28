package headtrain

import (
	"encoding/json"
	"fmt"
	"slices"

	"icebox/headtrain/internal/finite"
	"icebox/headtrain/internal/kernel"
)

// fit is one head in training, a member of a stack.
type fit struct {
	index     int // in the job
	options   Options
	objective *objective
	optimizer optimizer
	schedule  schedule
	average   *average
	params    []float32 // its classes' rows of the stack's weights
	best      []float32 // the weights to keep; nil without early stopping
	last      *Head     // of the last epoch, if that is not the best
	watch     *watch
	stopped   string
	gradient  float64 // its largest value at the end; lbfgs only
	err       error   // why it was given up

	sum             tally   // of the pass in hand
	weight          float64 // of the rows in sum
	batchWeight     float64 // of the batch in hand
	lr              float64 // of the last step
	history         []Epoch
	valLoss, valAcc []float64 // what the pointers in history point to
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
		schedule:  newSchedule(o, (n+size-1)/size),
		average:   newAverage(o, isa, len(params)),
		watch:     newWatch(o.EarlyStopping),
		history:   make([]Epoch, 0, o.Epochs),
	}
	if v.val != nil {
		f.valLoss, f.valAcc = make([]float64, o.Epochs), make([]float64, o.Epochs)
	}
	if o.EarlyStopping.Patience > 0 {
		f.best = make([]float32, len(params))
	}
	return f
}

// tally sums up rows that were judged, in order.
type tally struct {
	loss float64
	rows int
	hits int // classified correctly
}

func (t tally) accuracy() float64 { return float64(t.hits) / float64(t.rows) }

// trained adds an epoch to the history from what was summed over its batches.
// The average of the weights, if there is one, takes their place until the next
// epoch.
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
	i := e.Epoch - 1
	f.valLoss[i], f.valAcc[i] = loss, f.sum.accuracy()
	e.ValLoss, e.ValAcc = &f.valLoss[i], &f.valAcc[i]
}

// finished takes note of the last epoch, keeps its weights if they are the best
// so far, and tells whether the head is to train no further.
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

// restore goes back to the best epoch's weights, if they are not the last.
func (f *fit) restore(s *stack) {
	if f.best == nil || f.err != nil || f.watch.best == len(f.history) {
		return
	}
	f.last, _ = f.head(s, len(f.history)) // not worth an error
	copy(f.params, f.best)
}

// diverged returns the error for a loss or weight that is not finite.
func (f *fit) diverged(epoch int, what string) error { return f.options.diverged(epoch, what) }

func (o Options) diverged(epoch int, what string) error {
	if o.Optimizer == OptimizerLBFGS {
		return fmt.Errorf("%w: %s is not finite in iteration %d: the features lie at an end of what float32 can hold; bring them nearer to 1", ErrDiverged, what, epoch)
	}
	advice := fmt.Sprintf("try lr %.1g", o.LR/10)
	if o.LR > 1 {
		advice = "try lr 0.001, or let `icebox train --find-lr` look for one"
	}
	if o.Input != InputStandardise {
		advice += fmt.Sprintf(", or input %q", InputStandardise)
	}
	return fmt.Errorf("%w: %s is not finite in epoch %d with lr %.3g; %s", ErrDiverged, what, epoch, o.LR, advice)
}

// result makes the head of the weights kept, under which f.sum was taken over
// the training rows.
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

// head folds the input map into the weights, which are those of an epoch.
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
	h.Recipe, err = json.Marshal(recipe{engineName, f.options, len(s.train.Rows), len(f.history), epoch})
	return h, err
}
