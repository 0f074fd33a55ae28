package headtrain

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"icebox/headtrain/internal/kernel"
)

// New returns the trainer for linear softmax heads.
func New() Trainer { return linear{kernel.Best()} }

// linear trains one head after another, each on all threads.
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
	results := make([]Result, 0, len(job.Heads))
	var failed []error
	for i, o := range job.Heads {
		result, err := l.fitOne(ctx, job, i, o.WithDefaults())
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

func (l linear) fitOne(ctx context.Context, job Job, head int, o Options) (Result, error) {
	f := newFit(l.isa, job, o)
	defer f.team.close()
	onEpoch := func(Epoch) {}
	if job.OnEpoch != nil {
		onEpoch = func(e Epoch) { job.OnEpoch(head, e) }
	}
	return f.run(ctx, onEpoch)
}

func threads(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}
