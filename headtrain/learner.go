package headtrain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"icebox/headtrain/internal/finite"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/perclass"
	"icebox/headtrain/internal/softmax"
)

// Learner is the arithmetic of one head in training, which an engine of another
// package brings. Its methods are called from one goroutine.
type Learner interface {
	// Step takes one optimizer step at rate lr on the training rows of a batch, and
	// returns how they were judged before it.
	Step(rows []int32, lr float64) (Judged, error)
	// Layers returns a copy of the weights, first layer to last.
	Layers() ([]Layer, error)
	// Close ends the learner. It is called once, after the last call of the others.
	Close() error
}

// Judged is how the rows of a batch were judged.
type Judged struct {
	Loss   float64 // the objective, a mean weighted by class
	Weight float64 // the sum of the rows' class weights
	Hits   int     // rows classified correctly
}

// FitEach trains the heads of a job one after another, each on a learner that start
// returns, under the contract of Trainer. The recipes of the heads name the engine.
// All that is not the arithmetic of a step is done here, alike for all engines.
// Validation and the final loss are those of the head as it will be saved.
func FitEach(ctx context.Context, job Job, engine string, start func(*Plan) (Learner, error)) ([]Result, error) {
	if err := job.Validate(); err != nil {
		return nil, err
	}
	results := make([]Result, 0, len(job.Heads))
	var failed []error
	for i, o := range job.Heads {
		l := &lesson{engine: engine, plan: newPlan(job, i, o.WithDefaults())}
		if job.OnEpoch != nil {
			l.onEpoch = func(e Epoch) { job.OnEpoch(i, e) }
		}
		result, err := l.run(ctx, start)
		if err != nil && len(job.Heads) > 1 {
			err = fmt.Errorf("head %d: %w", i, err)
		}
		if err != nil && !errors.Is(err, ErrDiverged) {
			return results, errors.Join(append(failed, err)...)
		}
		results = append(results, result)
		failed = append(failed, err)
	}
	return results, errors.Join(failed...)
}

// lesson is one head in training on a learner.
type lesson struct {
	engine  string
	plan    *Plan
	learner Learner
	onEpoch func(Epoch) // nil for none
	history []Epoch
	best    *Head // of the best epoch so far
	last    *Head // of the last epoch
}

func (l *lesson) run(ctx context.Context, start func(*Plan) (Learner, error)) (r Result, err error) {
	if l.learner, err = start(l.plan); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.learner.Close()) }()
	o := l.plan.Options
	watch, stopped := newWatch(o.EarlyStopping), StoppedEpochs
	for epoch := 1; epoch <= o.Epochs; epoch++ {
		e, head, err := l.epoch(ctx, epoch)
		if err != nil {
			return Result{History: l.history}, err
		}
		l.history, l.last = append(l.history, e), head
		if watch.see(e) {
			l.best = head
		}
		if l.onEpoch != nil {
			l.onEpoch(e)
		}
		if watch.exhausted(epoch) {
			stopped = StoppedEarly
			break
		}
	}
	return l.result(watch.best, stopped)
}

// epoch trains on every row once.
func (l *lesson) epoch(ctx context.Context, epoch int) (Epoch, *Head, error) {
	p, began := l.plan, time.Now()
	e := Epoch{Epoch: epoch}
	p.order.shuffle(epoch)
	loss, weight, hits, seen := 0.0, 0.0, 0, 0
	for rows := range slices.Chunk(p.order.rows, p.BatchSize) {
		if err := ctx.Err(); err != nil {
			return e, nil, fmt.Errorf("training stopped in epoch %d: %w", epoch, err)
		}
		seen += len(rows)
		p.order.want(len(rows))
		e.LR = p.schedule.rate(p.step)
		p.step++
		j, err := l.learner.Step(rows, e.LR)
		if err != nil {
			return e, nil, err
		}
		if !finite.Is(j.Loss) {
			return e, nil, l.diverged(epoch, "the loss")
		}
		loss, weight, hits = loss+float64(j.Loss*j.Weight), weight+j.Weight, hits+j.Hits
	}
	p.order.rest()
	e.TrainLoss, e.TrainAcc = loss/weight, float64(hits)/float64(seen)
	head, err := l.head(epoch)
	if err == nil && p.val != nil {
		err = l.validate(head, &e)
	}
	e.Seconds = time.Since(began).Seconds()
	return e, head, err
}

// head makes a head of the weights as they are.
func (l *lesson) head(epoch int) (*Head, error) {
	layers, err := l.learner.Layers()
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(layers, func(l Layer) bool { return !l.finite() }) {
		return nil, l.diverged(epoch, "a weight")
	}
	h := &Head{Classes: slices.Clone(l.plan.train.Classes)}
	if l.plan.Options.Input == InputL2 {
		h.Input = InputL2
	}
	layers[0] = layers[0].fold(l.plan.input)
	h.setLayers(layers)
	if !layers[0].finite() {
		return nil, l.diverged(epoch, "a weight for raw features")
	}
	return h, nil
}

func (l *lesson) validate(h *Head, e *Epoch) error {
	m := measure(h, l.plan.val)
	if !finite.Is(m.loss) {
		return l.diverged(e.Epoch, "the validation loss")
	}
	m.into(e)
	return nil
}

func (l *lesson) result(best int, stopped string) (Result, error) {
	loss := measure(l.best, l.plan.train).loss
	if !finite.Is(loss) {
		return Result{History: l.history}, l.diverged(len(l.history), "the final loss")
	}
	if l.last == l.best {
		l.last = nil
	}
	err := errors.Join(l.sign(l.best, best), l.sign(l.last, len(l.history)))
	return Result{
		Head: l.best, Last: l.last, History: l.history, BestEpoch: best, Stopped: stopped,
		TrainLoss: loss, EpochSeconds: medianSeconds(l.history),
	}, err
}

// sign writes into the recipe of h how it was trained, and of which epoch it has the
// weights. h may be nil.
func (l *lesson) sign(h *Head, epoch int) (err error) {
	if h != nil {
		h.Recipe, err = json.Marshal(recipe{l.engine, l.plan.Options, len(l.plan.train.Rows), len(l.history), epoch})
	}
	return err
}

func (l *lesson) diverged(epoch int, what string) error {
	return &Divergence{What: what, Epoch: epoch, Options: l.plan.Options}
}

// measure measures h on the rows of a set.
func measure(h *Head, s *labelled.Set) *measures {
	const rows = 512
	var sum tally
	k := len(h.Classes)
	classes := make(perclass.Counts, k)
	x, logits := make([]float32, rows*s.Dim), make([]float32, rows*k)
	for chunk := range slices.Chunk(s.Rows, rows) {
		for i, r := range chunk {
			copy(x[i*s.Dim:], s.Row(int(r)))
		}
		h.Logits(logits, x[:len(chunk)*s.Dim], len(chunk))
		for i, r := range chunk {
			z, y := logits[i*k:(i+1)*k], int(s.Labels[r])
			best, norm := softmax.Top(z, 1)
			sum.loss += math.Log(norm) + float64(z[best]) - float64(z[y])
			sum.rows++
			classes.Add(y, best)
			if best == y {
				sum.hits++
			}
		}
	}
	return &measures{sum.loss / float64(sum.rows), sum.accuracy(), classes.MacroF1(), classes.BalancedAccuracy()}
}
