package headtrain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/team"
)

// stack is some heads that see the same batches, trained in one pass over the
// features. Their classes are the columns of one matrix: those of head h are columns
// h·classes to (h+1)·classes. No sum runs across columns of two heads, so a head's
// bits do not depend on its neighbours.
type stack struct {
	isa                  kernel.ISA
	train, val           *labelled.Set // val is nil for none
	input                affine.Map
	mapped               mapped
	shared               shared
	dim, classes, stride int

	heads  []*fit    // those still in training
	params []float32 // of their columns, stride apart: features, bias, zeros
	grad   []float32 // the same for the gradient, if a batch takes several panels; else nil
	plain  kernel.LossTable
	mix    *mixup

	team      *team.Team
	crew      *crew // whose threads the team shares with others; nil is none
	workers   []scratch
	panel     *panel
	forwardFn func(worker, item int) // made once, since a method value allocates
	updateFn  func(worker, item int)
	chunkFn   func(worker, item int)
	reduceFn  func(worker, item int)
	task      passTask

	batchSize int
	order     *order
	counts    []int32 // rows of the batch by class
	step      int     // steps taken
}

// newStack prepares heads that share batches. Their options have their defaults;
// indices are their places in the job. The stack's team must be closed.
func newStack(isa kernel.ISA, v *view, heads []Options, indices []int) *stack {
	o := heads[0]
	d, k, n := v.train.Dim, len(v.train.Classes), len(v.train.Rows)
	s := &stack{
		isa: isa, train: v.train, val: v.val, input: v.input, mapped: v.shared.mapped, shared: v.shared,
		dim: d, classes: k, stride: kernel.Stride(d), plain: plainLoss(k),
		batchSize: min(o.BatchSize, n), order: newOrder(o, v.train), counts: make([]int32, k),
	}
	if o.Optimizer == OptimizerLBFGS {
		s.batchSize = n
	}
	size := 0
	for _, o := range heads {
		size = max(size, threads(o.Threads))
	}
	s.team = team.New(size)
	own := k * s.stride
	s.params = make([]float32, len(heads)*own)
	copy(s.params[:own], initialLayers(o, d, k)[0].params())
	for h, o := range heads {
		params := s.params[h*own : (h+1)*own]
		copy(params, s.params[:own])
		s.heads = append(s.heads, newFit(isa, indices[h], o, v, params))
	}
	s.forwardFn, s.updateFn, s.chunkFn, s.reduceFn = s.forward, s.update, s.chunk, s.reduce
	s.panel = newPanel(min(max(s.batchSize, evalRows), panelRows), s.stride, len(heads)*k, len(heads))
	if s.val != nil {
		s.panel.best = make([]int32, len(s.panel.hits)*kernel.Block)
	}
	if s.batchSize > panelRows || o.Optimizer == OptimizerLBFGS {
		s.grad = make([]float32, len(s.params))
	}
	s.workers = make([]scratch, size)
	for i := range s.workers {
		w := &s.workers[i]
		w.x = make([]float32, s.stride*kernel.ChunkRows)
		w.g = make([]float32, min(mostGroupCols, len(heads)*k)*s.stride)
	}
	s.mix = newMixup(o, s)
	return s
}

// run trains until every head is done. It hands each finished epoch and each result to
// a fitting. Its error is that of ctx.
func (s *stack) run(ctx context.Context, to *fitting) error {
	for epoch := 1; len(s.heads) > 0; epoch++ {
		if err := s.epoch(ctx, epoch); err != nil {
			return err
		}
		over := make([]bool, len(s.heads))
		for h, f := range s.heads {
			over[h] = f.finished()
			if f.err == nil {
				to.epoch(f.index, f.history[epoch-1])
			}
		}
		if err := s.retire(ctx, over, to); err != nil {
			return err
		}
	}
	return nil
}

// epoch trains on every row once and adds to the histories of the heads. It
// allocates nothing.
func (s *stack) epoch(ctx context.Context, epoch int) error {
	start := time.Now()
	s.order.shuffle(epoch)
	rows := s.order.rows
	s.resetSums()
	for _, f := range s.heads {
		if epoch > 1 {
			f.average.exchange(f.params) // undo that of trained
		}
	}
	for at := 0; at < len(rows); at += s.batchSize {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("training stopped in epoch %d: %w", epoch, err)
		}
		end := min(at+s.batchSize, len(rows))
		s.trainBatch(rows[at:end], rows[end:])
	}
	s.order.rest()
	for _, f := range s.heads {
		f.trained(epoch)
	}
	if s.val != nil {
		if err := s.evaluate(ctx, s.val, 0); err != nil {
			return err
		}
		for _, f := range s.heads {
			if f.err == nil {
				f.validated()
			}
		}
	}
	seconds := time.Since(start).Seconds()
	for _, f := range s.heads {
		if f.err == nil {
			f.history[epoch-1].Seconds = seconds
		}
	}
	return nil
}

func (s *stack) resetSums() {
	for _, f := range s.heads {
		f.sum, f.weight = tally{}, 0
		clear(f.classes)
	}
}

// evaluate sums up plain cross-entropy and hits over the rows of a set, for the heads
// from number first on.
func (s *stack) evaluate(ctx context.Context, set *labelled.Set, first int) error {
	s.resetSums()
	mapped := s.mapped.train
	if set == s.val {
		mapped = s.mapped.val
	}
	capacity := len(s.panel.x) / s.stride
	for at := 0; at < len(set.Rows); at += capacity {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("evaluation stopped: %w", err)
		}
		s.onMapped(mapped, at, func() {
			s.pass(set, set.Rows[at:min(at+capacity, len(set.Rows))], first, false)
		})
	}
	return nil
}

// onMapped calls do with a panel that has its rows already, which are those of mapped from
// row `at` on; nil is none.
func (s *stack) onMapped(mapped []float32, at int, do func()) {
	if mapped == nil {
		do()
		return
	}
	own := s.panel.x
	s.panel.x, s.task.gathered = mapped[at*s.stride:], true
	do()
	s.panel.x, s.task.gathered = own, false
}

// retire takes the heads whose training is over out of the stack.
func (s *stack) retire(ctx context.Context, over []bool, to *fitting) error {
	first := len(s.heads)
	for h := 0; h < first; h++ {
		if over[h] {
			first--
			s.swap(h, first)
			over[h], over[first] = over[first], over[h]
			h--
		}
	}
	if first == len(s.heads) {
		return nil
	}
	for _, f := range s.heads[first:] {
		f.restore(s)
	}
	if err := s.evaluate(ctx, s.train, first); err != nil {
		return err
	}
	gone := s.heads[first:]
	s.heads = s.heads[:first]
	slices.SortFunc(gone, func(a, b *fit) int { return a.index - b.index })
	for _, f := range gone {
		r, err := f.result(s)
		to.done(f.index, r, err)
	}
	return nil
}

// swap exchanges two heads and their columns.
func (s *stack) swap(a, b int) {
	if a == b {
		return
	}
	x, y := s.heads[a], s.heads[b]
	for i, v := range x.params {
		x.params[i], y.params[i] = y.params[i], v
	}
	x.params, y.params = y.params, x.params
	s.heads[a], s.heads[b] = y, x
}
