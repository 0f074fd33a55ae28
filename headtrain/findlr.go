package headtrain

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// LRPoint is one learning rate that FindLR tried.
type LRPoint struct {
	LR   float64  `json:"lr"`
	Loss *float64 `json:"loss"` // over the training rows after one epoch; nil if it diverged
}

// The rates that FindLR tries: three a decade.
const (
	findFrom, findTo = -5, 0 // powers of ten
	findPerDecade    = 3
)

// FindLR trains the one head of the job for an epoch at each of 16 learning
// rates from 1e-5 to 1, all in one pass. It returns the rate with the lowest
// training loss, and all of them in order. The rate is a place to start from: over
// many epochs a third of it is often better. The head's schedule, warm-up, early
// stopping and EMA are left out. It returns a Fault for an optimizer that has no
// learning rate, and ErrDiverged if no rate gives a finite loss.
func FindLR(ctx context.Context, t Trainer, job Job) (best float64, tried []LRPoint, err error) {
	if len(job.Heads) != 1 {
		return 0, nil, fmt.Errorf("%w: a learning rate is looked for on one head, not %d", ErrOptions, len(job.Heads))
	}
	o := job.Heads[0].WithDefaults()
	if o.Optimizer == OptimizerLBFGS {
		return 0, nil, Fault{Field: "Optimizer", Text: fmt.Sprintf("(%s) has no learning rate to look for", o.Optimizer)}
	}
	o.Epochs, o.Schedule, o.Warmup, o.StepEpochs, o.EarlyStopping, o.EMA = 1, ScheduleConstant, 0, 1, EarlyStopping{}, 0
	part := job.part(0)
	job.Heads, job.Parts, job.OnEpoch = nil, nil, nil
	for i := findFrom * findPerDecade; i <= findTo*findPerDecade; i++ {
		o.LR = math.Pow(10, float64(i)/findPerDecade)
		tried = append(tried, LRPoint{LR: o.LR})
		job.Heads, job.Parts = append(job.Heads, o), append(job.Parts, part)
	}
	results, err := t.Fit(ctx, job)
	if err != nil && !errors.Is(err, ErrDiverged) || len(results) != len(tried) {
		return 0, nil, err
	}
	lowest := math.Inf(1)
	for i, r := range results {
		if r.Head == nil {
			continue
		}
		tried[i].Loss = &r.TrainLoss
		if r.TrainLoss < lowest {
			best, lowest = tried[i].LR, r.TrainLoss
		}
	}
	if math.IsInf(lowest, 1) {
		return 0, tried, fmt.Errorf("%w at every learning rate from %.2g to %.2g", ErrDiverged, tried[0].LR, tried[len(tried)-1].LR)
	}
	return best, tried, nil
}
