package graph

import (
	"context"
	"errors"
	"fmt"

	"icebox/headtrain"
)

// Name is how people choose this engine, and what it writes into the recipe of
// a head.
const Name = "gorgonia"

// Engine returns the engine. Its Fit leaves the number of threads to gorgonia.
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

// check reports what gorgonia's solvers cannot do as PyTorch does it.
func check(o headtrain.Options) error {
	o = o.WithDefaults()
	var faults []error
	unknown := func(is bool, option, what string) {
		if !is {
			return
		}
		instead := "use the engine " + headtrain.EngineFused
		if o.Kind == headtrain.KindMLP {
			instead = "use another optimizer"
		}
		faults = append(faults, fmt.Errorf("%s: the engine %s does not know %s; %s", option, Name, what, instead))
	}
	momentum := o.Optimizer == headtrain.OptimizerSGD && o.Momentum > 0
	unknown(o.Nesterov, "nesterov", "Nesterov's momentum")
	unknown(momentum && o.WeightDecay > 0, "weight_decay", "weight decay with momentum")
	unknown(momentum && o.Schedule != headtrain.ScheduleConstant, "schedule", "a changing rate with momentum")
	unknown(momentum && o.Warmup > 0, "warmup", "a changing rate with momentum")
	for _, f := range []struct {
		option, what string
		on           bool
	}{{"ema", "averages of weights", o.EMA > 0}, {"mixup", "mixed batches", o.Mixup > 0}} {
		if f.on {
			faults = append(faults, fmt.Errorf("%s: the engine %s does not know %s; use the engine %s or leave it out", f.option, Name, f.what, headtrain.EngineFused))
		}
	}
	if faults == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", headtrain.ErrOptions, errors.Join(faults...))
}
