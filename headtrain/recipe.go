package headtrain

import (
	"encoding/json"
	"fmt"
)

// engineName is recorded in the recipe of each head, lbfgsName in that of a head of L-BFGS.
// It changes whenever the order of summation does.
const engineName, lbfgsName = "linear/2", "linear/3"

// engineOf names the order of summation of a head.
func engineOf(o Options) string {
	if o.Optimizer == OptimizerLBFGS {
		return lbfgsName
	}
	return engineName
}

// recipe is what a head's file says of its training. It holds nothing that differs
// from machine to machine, so that equal heads are equal files.
type recipe struct {
	Engine    string  `json:"engine"`
	Options   Options `json:"options"`
	Rows      int     `json:"rows"` // labelled training rows
	Epochs    int     `json:"epochs_run"`
	BestEpoch int     `json:"best_epoch"`
}

// Trained returns the options that a head was trained with, and the number of epochs
// that its weights have seen: what it takes to train another head like it. Without a
// recipe these are the defaults. The error wraps ErrFormat.
func (h *Head) Trained() (Options, int, error) {
	r := recipe{Options: Options{}.WithDefaults()}
	if h.Recipe != nil {
		if err := json.Unmarshal(h.Recipe, &r); err != nil {
			return r.Options, 0, fmt.Errorf("%w: recipe: %w", ErrFormat, err)
		}
	}
	if r.BestEpoch < 1 {
		r.BestEpoch = r.Options.Epochs
	}
	return r.Options, r.BestEpoch, nil
}
