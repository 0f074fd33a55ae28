package headtrain

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/team"
)

// New returns the trainer for linear softmax heads.
func New() Trainer { return linear{kernel.Best()} }

// linear trains the heads that share batches together, one such stack after
// another, each on all threads.
type linear struct{ isa kernel.ISA }

func (l linear) Fit(ctx context.Context, job Job) ([]Result, error) {
	if err := job.Validate(); err != nil {
		return nil, err
	}
	for _, o := range job.Heads {
		if err := checkFused(o); err != nil {
			return nil, err
		}
	}
	n := len(job.Heads)
	results, errs, last := make([]Result, n), make([]error, n), -1
	done := func(head int, r Result, err error) {
		if err != nil && n > 1 {
			err = fmt.Errorf("head %d: %w", head, err)
		}
		results[head], errs[head], last = r, err, max(last, head)
	}
	onEpoch := job.OnEpoch
	if onEpoch == nil {
		onEpoch = func(int, Epoch) {}
	}
	var stopped error
	views := map[viewKey]*view{}
	for _, heads := range job.stacks() {
		if stopped = l.fitStack(ctx, job, heads, views, onEpoch, done); stopped != nil {
			results = results[:last+1]
			break
		}
	}
	return results, errors.Join(append(errs, stopped)...)
}

// viewKey is what heads must agree on to see the same features.
type viewKey struct {
	part  partKey
	input string
}

// stackKey is what heads must agree on to be trained in one pass.
type stackKey struct {
	view    viewKey
	seed    uint64
	batch   int
	mixup   float64
	shuffle Shuffle
}

// stackParams is the most weights in a stack, 2 MiB of them: they and what the
// optimizer keeps on them then stay in the caches from step to step.
const stackParams = 1 << 19

// stacks returns the indices of the heads that go together, in the order of
// the first of each; none is larger than memory should hold at once.
func (j Job) stacks() [][]int {
	most := max(1, stackParams/(len(j.Train.Classes)*kernel.Stride(j.Train.Dim)))
	var stacks [][]int
	open := map[stackKey]int{}
	for i, o := range j.Heads {
		o = o.WithDefaults()
		key := stackKey{viewKey{j.part(i).key(), o.Input}, o.Seed, o.BatchSize, o.Mixup, o.Shuffle}
		at, ok := open[key]
		if !ok || len(stacks[at]) == most || o.Optimizer == OptimizerLBFGS {
			at = len(stacks)
			stacks = append(stacks, nil)
			if o.Optimizer != OptimizerLBFGS {
				open[key] = at
			}
		}
		stacks[at] = append(stacks[at], i)
	}
	return stacks
}

func (l linear) fitStack(ctx context.Context, job Job, heads []int, views map[viewKey]*view, onEpoch func(int, Epoch), done func(int, Result, error)) error {
	options := make([]Options, len(heads))
	for i, h := range heads {
		options[i] = job.Heads[h].WithDefaults()
	}
	part := job.part(heads[0])
	key := viewKey{part.key(), options[0].Input}
	v := views[key]
	if v == nil {
		t := team.New(threads(options[0].Threads))
		v = job.view(part, options[0].Input, t)
		t.Close()
		views[key] = v
	}
	s := newStack(l.isa, v, options, heads)
	defer s.team.Close()
	if options[0].Optimizer == OptimizerLBFGS {
		return s.runLBFGS(ctx, onEpoch, done)
	}
	return s.run(ctx, onEpoch, done)
}

func threads(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}
