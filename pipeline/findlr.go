package pipeline

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"icebox/headtrain"
)

// LRSummary says which learning rates were tried, and which to start from.
type LRSummary struct {
	Summary
	TrainRows int `json:"train_rows"`

	LR    float64             `json:"lr"` // the one with the lowest loss, to three digits
	Tried []headtrain.LRPoint `json:"tried"`
}

var findLRProgram = []stage{
	{"load", loadFeatures},
	{"check", checkClasses},
	{"gather", gatherRows},
}

// FindLR looks for a learning rate to start from, as [headtrain.FindLR] does, for
// the head and on the training rows that [Train] would take. It writes nothing.
func FindLR(ctx context.Context, o Options, c Choice, p Progress) (*LRSummary, error) {
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	j.choice = c
	s := &LRSummary{}
	err = j.do(ctx, append(findLRProgram[:len(findLRProgram):len(findLRProgram)], stage{"find", s.find}))
	if err != nil {
		return nil, err
	}
	s.Summary, s.TrainRows = j.sum, j.train.counts.TrainRows
	return s, nil
}

// checkClasses finds out early that classes cannot be learned.
func checkClasses(_ context.Context, j *job) error { return j.ds.checkTrainable() }

func (s *LRSummary) find(ctx context.Context, j *job) error {
	engine, err := j.opts.headEngine()
	if err != nil {
		return err
	}
	var best float64
	best, s.Tried, err = headtrain.FindLR(ctx, engine.Trainer, headtrain.Job{
		Train: j.train.parts[TrainPart].data, Heads: []headtrain.Options{j.opts.Head},
	})
	if err != nil {
		return err
	}
	s.LR, err = strconv.ParseFloat(strconv.FormatFloat(best, 'g', 3, 64), 64)
	return err
}

// Plot draws the loss by learning rate. Losses far above that of the lowest rate,
// whose head has learned next to nothing, are drawn at the upper edge.
func (s *LRSummary) Plot() string {
	var lr, loss []float64
	best, edge := 0, math.Inf(1)
	for _, t := range s.Tried {
		if t.Loss == nil {
			continue
		}
		if len(lr) == 0 {
			edge = 1.25 * *t.Loss
		}
		lr, loss = append(lr, math.Log10(t.LR)), append(loss, min(*t.Loss, edge))
		if loss[len(loss)-1] < loss[best] {
			best = len(loss) - 1
		}
	}
	if len(lr) < 2 {
		return ""
	}
	return plotByLR("train_loss", lr, loss, best, func(v float64) string { return fmt.Sprintf("%10.4g", v) })
}
