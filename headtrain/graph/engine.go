package graph

import (
	"context"
	"errors"
	"fmt"

	"icebox/headtrain"
)

// Name is what people choose this engine by, and what is in the recipes of its heads.
const Name = "gorgonia"

// Engine returns the engine. It ignores Options.Threads: gorgonia chooses the number.
func Engine() headtrain.Engine {
	return headtrain.Engine{Name: Name, Trainer: trainer{}, Check: check}
}

type trainer struct{}

func (trainer) Fit(ctx context.Context, job headtrain.Job) ([]headtrain.Result, error) {
	var faults []error
	for i, o := range job.Heads {
		err := check(o)
		if err != nil && len(job.Heads) > 1 {
			err = fmt.Errorf("head %d: %w", i, err)
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return headtrain.FitEach(ctx, job, Name, func(p *headtrain.Plan) (headtrain.Learner, error) {
		return newLearner(p)
	})
}

// check returns a fault for each option that gorgonia's solvers do not follow as
// PyTorch does.
func check(o headtrain.Options) error {
	o = o.WithDefaults()
	var faults []error
	refuse := func(is bool, field, format string, args ...any) {
		if is {
			text := fmt.Sprintf(format, args...) + " by the engine " + Name
			faults = append(faults, headtrain.Fault{Field: field, Text: text, Engine: Name})
		}
	}
	momentum := o.Optimizer == headtrain.OptimizerSGD && o.Momentum > 0
	refuse(o.Optimizer == headtrain.OptimizerLBFGS, "Optimizer", "(%s) cannot be used", o.Optimizer)
	refuse(o.Nesterov, "Nesterov", "cannot be used")
	refuse(momentum && o.WeightDecay > 0, "WeightDecay", "(%v) cannot be used with momentum", o.WeightDecay)
	refuse(momentum && o.Schedule != headtrain.ScheduleConstant, "Schedule", "(%s) cannot be used with momentum", o.Schedule)
	refuse(momentum && o.Warmup > 0, "Warmup", "(%d) cannot be used with momentum", o.Warmup)
	refuse(o.EMA > 0, "EMA", "(%v) cannot be used", o.EMA)
	refuse(o.Mixup > 0, "Mixup", "(%v) cannot be used", o.Mixup)
	return errors.Join(faults...)
}
