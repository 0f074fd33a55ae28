package headtrain

import (
	"context"
	"fmt"
	"math"
	"time"

	"icebox/headtrain/internal/kernel"
)

// fit is one head in training.
type fit struct {
	isa        kernel.ISA
	options    Options
	train, val *rowSet // val is nil for none
	input      input
	objective  *objective
	optimizer  optimizer
	schedule   schedule
	params     []float32 // tiled, see internal/kernel
	best       []float32 // the weights to keep; nil without early stopping

	team        *team
	forwardTask func(worker, item int) // bound once: a method value allocates
	updateTask  func(worker, item int)
	scratch     [][]float32 // of each worker
	batch       *batch
	batchSize   int
	step        int // steps taken

	// What the running task works on: rows of a set, with or without gradients.
	set   *rowSet
	rows  []int32
	learn bool

	order           []int32 // the labelled training rows in this epoch's order
	history         []Epoch
	valLoss, valAcc []float64 // what the pointers in history point to
}

// evalRows is the least capacity of a batch: evaluation takes as many rows at
// once, however small the batches of training are.
const evalRows = 512

// newFit prepares a head of a job that is valid, with options that have their
// defaults. Its team must be closed.
func newFit(isa kernel.ISA, job Job, p Part, o Options) *fit {
	train, val := job.sets(p, o.Input)
	n, d, k := len(train.rows), train.Dim, len(train.Classes)
	size := min(o.BatchSize, n)
	f := &fit{
		isa: isa, options: o, train: train, val: val, objective: newObjective(o, train),
		team:      newTeam(threads(o.Threads)),
		batchSize: size,
		schedule:  newSchedule(o, (n+size-1)/size),
		params:    initialParams(d, k, o.Seed),
		optimizer: newOptimizer(o, isa, kernel.ParamLen(d, k)),
		batch:     newBatch(max(size, evalRows), d, k),
		order:     make([]int32, n),
		history:   make([]Epoch, 0, o.Epochs),
	}
	f.input = newInput(o.Input, train, f.team)
	f.forwardTask, f.updateTask = f.forward, f.update
	for range f.team.size {
		f.scratch = append(f.scratch, make([]float32, kernel.Lane*kernel.Lane))
	}
	if val != nil {
		f.valLoss, f.valAcc = make([]float64, o.Epochs), make([]float64, o.Epochs)
	}
	if o.EarlyStopping.Patience > 0 {
		f.best = make([]float32, len(f.params))
	}
	return f
}

// initialParams draws weights, class by class, and then biases evenly from
// ±1/√d, the range of torch.nn.Linear.
func initialParams(d, k int, seed uint64) []float32 {
	params := make([]float32, kernel.ParamLen(d, k))
	bound := float32(1 / math.Sqrt(float64(d)))
	r := newRNG(seed, initStream)
	for c := range k {
		for j := range d {
			params[kernel.ParamIndex(d, j, c)] = r.symmetric() * bound
		}
	}
	for c := range k {
		params[kernel.ParamIndex(d, d, c)] = r.symmetric() * bound
	}
	return params
}

func (f *fit) run(ctx context.Context, onEpoch func(Epoch)) (Result, error) {
	watch := newWatch(f.options.EarlyStopping)
	stopped := StoppedEpochs
	for epoch := 1; epoch <= f.options.Epochs; epoch++ {
		if err := f.epoch(ctx, epoch); err != nil {
			return Result{History: f.history}, err
		}
		e := f.history[epoch-1]
		improved := watch.see(e)
		if improved && f.best != nil {
			copy(f.best, f.params)
		}
		onEpoch(e)
		if watch.exhausted(epoch) {
			stopped = StoppedEarly
			break
		}
	}
	if f.best != nil {
		copy(f.params, f.best)
	}
	return f.result(ctx, watch.best, stopped)
}

// tally sums up rows that were judged, in order.
type tally struct {
	loss float64
	rows int
	hits int // classified correctly
}

func (t tally) accuracy() float64 { return float64(t.hits) / float64(t.rows) }

// epoch trains on every row once and adds to the history. It does not allocate.
func (f *fit) epoch(ctx context.Context, epoch int) error {
	start := time.Now()
	e := Epoch{Epoch: epoch}
	shuffle(f.order, f.train.rows, f.options.Seed, epoch)
	var sum tally
	weight := 0.0
	for at := 0; at < len(f.order); at += f.batchSize {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("training stopped in epoch %d: %w", epoch, err)
		}
		e.LR = f.schedule.rate(f.step)
		weight += f.trainBatch(f.order[at:min(at+f.batchSize, len(f.order))], e.LR, &sum)
		if !finite(sum.loss) {
			return f.diverged(epoch, "the loss")
		}
	}
	if !allFinite(f.params) {
		return f.diverged(epoch, "a weight")
	}
	e.TrainLoss, e.TrainAcc = sum.loss/weight, sum.accuracy()
	if err := f.validate(ctx, &e); err != nil {
		return err
	}
	e.Seconds = time.Since(start).Seconds()
	f.history = append(f.history, e)
	return nil
}

// validate adds the validation numbers, if there is a validation set.
func (f *fit) validate(ctx context.Context, e *Epoch) error {
	if f.val == nil {
		return nil
	}
	loss, accuracy, err := f.evaluate(ctx, f.val)
	if err != nil {
		return err
	}
	if !finite(loss) {
		return f.diverged(e.Epoch, "the validation loss")
	}
	e.ValLoss, e.ValAcc = &f.valLoss[e.Epoch-1], &f.valAcc[e.Epoch-1]
	*e.ValLoss, *e.ValAcc = loss, accuracy
	return nil
}

// trainBatch takes one step, adds the batch, as it was before the step, to sum
// and returns the sum of its rows' class weights.
func (f *fit) trainBatch(rows []int32, lr float64, sum *tally) (weight float64) {
	weight = f.objective.setBatch(f.train, rows)
	f.pass(f.train, rows, true, sum)
	f.optimizer.begin(lr)
	f.team.run(f.workers(), kernel.Rows(f.train.Dim)/kernel.Lane, f.updateTask)
	f.step++
	return weight
}

// evaluate returns the mean cross-entropy and the accuracy over the labelled
// rows of s.
func (f *fit) evaluate(ctx context.Context, s *rowSet) (loss, accuracy float64, err error) {
	var sum tally
	for at := 0; at < len(s.rows); at += f.batch.capacity() {
		if err := ctx.Err(); err != nil {
			return 0, 0, fmt.Errorf("evaluation stopped: %w", err)
		}
		f.pass(s, s.rows[at:min(at+f.batch.capacity(), len(s.rows))], false, &sum)
	}
	return sum.loss / float64(sum.rows), sum.accuracy(), nil
}

// pass runs rows of s forward and adds them to sum.
func (f *fit) pass(s *rowSet, rows []int32, learn bool, sum *tally) {
	f.set, f.rows, f.learn, f.batch.rows = s, rows, learn, len(rows)
	f.team.run(f.workers(), (len(rows)+forwardRows-1)/forwardRows, f.forwardTask)
	sum.rows += len(rows)
	for r := range rows {
		sum.loss += f.batch.loss[r]
		if f.batch.hit[r] {
			sum.hits++
		}
	}
}

// worthAWorker is the multiplications that repay waking a worker up.
const worthAWorker = 1 << 18

// workers returns how many workers the batch at hand is worth.
func (f *fit) workers() int {
	return max(1, f.batch.rows*len(f.params)/worthAWorker)
}

// diverged returns the error for a loss or weight that is not finite.
func (f *fit) diverged(epoch int, what string) error {
	lr := f.options.LR
	advice := fmt.Sprintf("try lr %.1g", lr/10)
	if f.options.Input != InputStandardise {
		advice += fmt.Sprintf(", or input %q", InputStandardise)
	}
	return fmt.Errorf("%w: %s is not finite in epoch %d with lr %.3g; %s", ErrDiverged, what, epoch, lr, advice)
}
