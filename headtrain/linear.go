package headtrain

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"icebox/headtrain/internal/kernel"
)

// New returns the trainer of this package, for linear heads. It returns a Fault for
// a head of another kind.
func New() Trainer { return linear{kernel.Best()} }

// linear trains heads that see the same batches together, as a stack, and one stack
// after another, each on all threads.
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
	f := &fitting{isa: l.isa, job: job, views: map[viewKey]*view{}, results: make([]Result, len(job.Heads)), errs: make([]error, len(job.Heads)), last: -1}
	for _, heads := range job.stacks() {
		if err := f.fitStack(ctx, heads); err != nil {
			return f.results[:f.last+1], errors.Join(append(f.errs, err)...)
		}
	}
	return f.results, errors.Join(f.errs...)
}

// fitting is a job that is worked on, and what has come of it so far.
type fitting struct {
	isa     kernel.ISA
	job     Job
	views   map[viewKey]*view
	results []Result
	errs    []error // by head
	last    int     // the last head that is done
}

// epoch passes on a finished epoch of a head.
func (f *fitting) epoch(head int, e Epoch) {
	if f.job.OnEpoch != nil {
		f.job.OnEpoch(head, e)
	}
}

// done takes the result of a head.
func (f *fitting) done(head int, r Result, err error) {
	if err != nil && len(f.job.Heads) > 1 {
		err = fmt.Errorf("head %d: %w", head, err)
	}
	f.results[head], f.errs[head], f.last = r, err, max(f.last, head)
}

// viewKey is what heads have in common that see the same features.
type viewKey struct {
	part  partKey
	input string
}

// stackKey is what heads have in common that are trained in one pass.
type stackKey struct {
	view    viewKey
	seed    uint64
	batch   int
	mixup   float64
	shuffle Shuffle
}

// stackParams is the most weights in a stack. They take 2 MiB, so that they and what
// the optimizer keeps for each stay in the caches from step to step.
const stackParams = 1 << 19

// stacks returns the indices of the heads of each stack, in the order of the first
// head of each. No stack has more than stackParams weights, unless it is one head.
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

// fitStack trains the heads of a stack. Its error is that of ctx.
func (f *fitting) fitStack(ctx context.Context, heads []int) error {
	options := make([]Options, len(heads))
	for i, h := range heads {
		options[i] = f.job.Heads[h].WithDefaults()
	}
	part := f.job.part(heads[0])
	key := viewKey{part.key(), options[0].Input}
	v := f.views[key]
	if v == nil {
		v = f.job.viewOn(threads(options[0].Threads), part, options[0].Input)
		f.views[key] = v
	}
	s := newStack(f.isa, v, options, heads)
	defer s.team.Close()
	if options[0].Optimizer == OptimizerLBFGS {
		return s.runLBFGS(ctx, f)
	}
	return s.run(ctx, f)
}

func threads(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}
