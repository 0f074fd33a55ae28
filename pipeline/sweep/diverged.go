package sweep

import (
	"fmt"
	"math"

	"icebox/headtrain"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// AllDiverged is why no point can be chosen: a [headtrain.ErrDiverged] that says at
// which learning rates, and which ones to try. Base are the options of the plan.
func (s *Search) AllDiverged(base headtrain.Options) error {
	low, high := math.Inf(1), 0.0
	for _, r := range s.Log.heads {
		low, high = min(low, r.Options.LR), max(high, r.Options.LR)
	}
	rates := fmt.Sprintf("at lr %.3g", low)
	if high > low {
		rates += fmt.Sprintf(" to %.3g", high)
	}
	axis := "{log: [1e-4, 1e-1], steps: 7}"
	if low <= 1e-3 {
		axis = fmt.Sprintf("{log: [%.0e, %.0e], steps: 7}", low/1000, low/10)
	}
	steps := []journal.Step{journal.SetTo("Sweep.Axes.lr", axis)}
	if base.Input == headtrain.InputNone {
		steps = append(steps, journal.SetTo("Head.Input", headtrain.InputStandardise))
	}
	diverged := s.Log.Diverged()
	who := fmt.Sprintf("all %s of the sweep", words.Count(diverged, "head"))
	if diverged < s.Log.Len() {
		who = fmt.Sprintf("%s of %s of the sweep, at least one of every point,", words.Number(diverged), words.Count(s.Log.Len(), "head"))
	}
	return journal.WithSteps(fmt.Errorf("%w: %s diverged, %s: a new sweep needs lower rates; nothing was kept of this one", headtrain.ErrDiverged, who, rates), steps...)
}
