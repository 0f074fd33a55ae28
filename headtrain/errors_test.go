package headtrain

import (
	"errors"
	"testing"
)

func TestDivergenceSaysWhereAndUnderWhat(t *testing.T) {
	for want, o := range map[string]Options{
		"training diverged: the loss is not finite in epoch 3, at a learning rate of 0.5":                               {LR: 0.5},
		"training diverged: the loss is not finite in epoch 3, at a learning rate of 1e+38":                             {LR: 1e38, Input: InputNone},
		"training diverged: the loss is not finite in iteration 3: the features are too large or too small for float32": {Optimizer: OptimizerLBFGS},
	} {
		f := fit{options: o.WithDefaults()}
		err := f.diverged(3, "the loss")
		var d *Divergence
		if !errors.Is(err, ErrDiverged) || !errors.As(err, &d) || err.Error() != want || d.Epoch != 3 || d.Options.LR != f.options.LR || d.Options.Input != f.options.Input {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
