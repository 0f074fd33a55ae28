package probe

import (
	"context"
	"fmt"

	"icebox/headtrain"
)

// tolerance is how near to its optimum L-BFGS takes the head of a fold, see
// [headtrain.Job.Tolerance]. Such a head only answers for rows.
const tolerance = 1e-5

// OutOfFold trains a head for each fold, on the labelled rows of the other folds, and
// returns, row by row, the logits of the head that did not see the row; they are
// computed from d and fold in every pass. Row r is in
// fold[r], from 0 to folds-1; a row of another number is in no fold, so every head may
// see it, and its logits are 0. If train is not nil, only rows r with train[r] are
// trained on. Fold and train have a value for each row of d. All heads are one job of
// t. The error is that of t, or wraps headtrain.ErrDataset for lengths that do not fit.
func OutOfFold(ctx context.Context, t headtrain.Trainer, d *headtrain.Dataset, fold []int, folds int, train []bool, o headtrain.Options) (*headtrain.Logits, error) {
	if len(fold) != d.Rows() || train != nil && len(train) != d.Rows() {
		return nil, fmt.Errorf("%w: %d rows, but folds for %d", headtrain.ErrDataset, d.Rows(), len(fold))
	}
	job := headtrain.Job{Train: d, Tolerance: tolerance}
	var places []int // of folds among the heads
	for f := range folds {
		own := 0
		seen := []int32{} // nil would be all
		for r, of := range fold {
			if of == f {
				own++
			} else if train == nil || train[r] {
				seen = append(seen, int32(r))
			}
		}
		places = append(places, len(job.Heads))
		if own > 0 {
			job.Heads, job.Parts = append(job.Heads, o), append(job.Parts, headtrain.Part{Train: seen})
		}
	}
	var heads []*headtrain.Head
	if len(job.Heads) > 0 {
		results, err := t.Fit(ctx, job)
		if err != nil {
			return nil, fmt.Errorf("out of fold: %w", err)
		}
		for _, r := range results {
			heads = append(heads, r.Head)
		}
	}
	of := make([]int, len(fold))
	for r, f := range fold {
		if of[r] = -1; 0 <= f && f < folds {
			of[r] = places[f]
		}
	}
	return headtrain.FoldedLogits(heads, of, d), nil
}
