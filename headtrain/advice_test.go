package headtrain

import (
	"errors"
	"strings"
	"testing"
)

func TestDivergedSaysWhatToTry(t *testing.T) {
	for _, c := range []struct {
		options   Options
		want, not string
	}{
		{Options{LR: 0.5}, "with lr 0.5; try lr 0.05", "find-lr"},
		{Options{LR: 1e38}, "with lr 1e+38; try lr 0.001, or let `icebox train --find-lr` look for one", "e+37"},
		{Options{LR: 1e38, Input: InputNone}, `look for one, or input "standardise"`, "e+37"},
		{Options{Optimizer: OptimizerLBFGS}, "in iteration 3: the features lie at an end", " lr"},
	} {
		err := c.options.WithDefaults().diverged(3, "the loss")
		if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.not) {
			t.Errorf("%+v: %v", c.options, err)
		}
	}
}
