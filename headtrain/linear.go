package headtrain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/parallel"
)

// New returns the trainer of this package, for linear heads. It returns a Fault for
// a head of another kind.
func New() Trainer { return linear{kernel.Best()} }

// linear trains heads that see the same batches together, as a stack, and one stack
// after another, each on all threads. Heads of L-BFGS that see the same features are
// trained side by side, each on its share of the threads.
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
	for _, stacks := range job.sideBySide() {
		if err := f.fitStacks(ctx, stacks); err != nil {
			return f.results[:f.last+1], errors.Join(append(f.errs, err)...)
		}
	}
	return f.results, errors.Join(f.errs...)
}

// fitting is a job that is worked on, and what has come of it so far.
type fitting struct {
	isa   kernel.ISA
	job   Job
	views map[viewKey]*view

	mu      sync.Mutex // of what follows, and of OnEpoch
	results []Result
	errs    []error // by head
	last    int     // the last head that is done
}

// epoch passes on a finished epoch of a head.
func (f *fitting) epoch(head int, e Epoch) {
	if f.job.OnEpoch != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.job.OnEpoch(head, e)
	}
}

// done takes the result of a head.
func (f *fitting) done(head int, r Result, err error) {
	if err != nil && len(f.job.Heads) > 1 {
		err = fmt.Errorf("head %d: %w", head, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
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

// sideBySide returns the stacks that are trained at once: heads of L-BFGS that follow one
// another, and each other stack alone.
func (j Job) sideBySide() [][][]int {
	var all [][][]int
	open := false
	for _, heads := range j.stacks() {
		lbfgs := j.Heads[heads[0]].Optimizer == OptimizerLBFGS
		if n := len(all); lbfgs && open {
			all[n-1] = append(all[n-1], heads)
			continue
		}
		all, open = append(all, [][]int{heads}), lbfgs
	}
	return all
}

// fitStacks trains some stacks side by side. Its error is that of ctx.
func (f *fitting) fitStacks(ctx context.Context, stacks [][]int) error {
	if len(stacks) == 1 {
		return f.fitStack(ctx, f.view(stacks[0][0]), stacks[0], 0)
	}
	all, most, left := 1, len(stacks), map[*view]int{} // heads of each view
	for _, heads := range stacks {
		o, v := f.job.Heads[heads[0]].WithDefaults(), f.view(heads[0])
		all, most = max(all, threads(o.Threads)), min(most, max(1, lbfgsRoom/lbfgsBytes(len(v.train.Rows), v.train.Dim, len(v.train.Classes), o.Input == InputStandardise)))
		left[v]++
	}
	most = min(most, all)
	return parallel.EachOn(ctx, most, len(stacks), func(ctx context.Context, i int) error {
		heads := stacks[i]
		v := f.view(heads[0])
		v.share(f.isa, f.job.Heads[heads[0]].WithDefaults().Input)
		err := f.fitStack(ctx, v, heads, all/most)
		f.mu.Lock()
		defer f.mu.Unlock()
		if left[v]--; left[v] == 0 {
			v.shared = shared{} // the last one is done
		}
		return err
	})
}

// view returns the view of a head, which it makes where there is none.
func (f *fitting) view(head int) *view {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, part := f.job.Heads[head].WithDefaults(), f.job.part(head)
	key := viewKey{part.key(), o.Input}
	if f.views[key] == nil {
		f.views[key] = f.job.viewOn(threads(o.Threads), part, o.Input)
	}
	return f.views[key]
}

// fitStack trains the heads of a stack on some threads; 0 is what their options say. Its
// error is that of ctx.
func (f *fitting) fitStack(ctx context.Context, v *view, heads []int, threads int) error {
	options := make([]Options, len(heads))
	for i, h := range heads {
		options[i] = f.job.Heads[h].WithDefaults()
		options[i].Threads = cmp.Or(threads, options[i].Threads)
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
