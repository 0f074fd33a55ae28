package probe

import (
	"context"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
)

// OutOfFold trains a head for each fold, on the labelled rows of the other folds, and
// returns, row by row, the logits of the head that did not see the row. Row r is in
// fold[r], from 0 to folds-1; a row of another number is in no fold, so every head may
// see it, and its logits are 0. If train is not nil, only rows r with train[r] are
// trained on. Fold and train have a value for each row of d. All heads are one job of
// t. The error is that of t, or wraps headtrain.ErrDataset for lengths that do not fit.
func OutOfFold(ctx context.Context, t headtrain.Trainer, d *headtrain.Dataset, fold []int, folds int, train []bool, o headtrain.Options) ([]float32, error) {
	if len(fold) != d.Rows() || train != nil && len(train) != d.Rows() {
		return nil, fmt.Errorf("%w: %d rows, but folds for %d", headtrain.ErrDataset, d.Rows(), len(fold))
	}
	job := headtrain.Job{Train: d}
	var judged [][]int32
	for f := range folds {
		var own []int32
		seen := []int32{} // nil would be all
		for r, of := range fold {
			if of == f {
				own = append(own, int32(r))
			} else if train == nil || train[r] {
				seen = append(seen, int32(r))
			}
		}
		if len(own) > 0 {
			judged = append(judged, own)
			job.Heads, job.Parts = append(job.Heads, o), append(job.Parts, headtrain.Part{Train: seen})
		}
	}
	logits := make([]float32, d.Rows()*len(d.Classes))
	if len(judged) == 0 {
		return logits, nil
	}
	results, err := t.Fit(ctx, job)
	if err != nil {
		return nil, fmt.Errorf("out of fold: %w", err)
	}
	for i, r := range results {
		writeLogits(r.Head, (*labelled.Matrix)(d), judged[i], logits)
	}
	return logits, nil
}

// writeLogits writes the logits of some rows of m to their places.
func writeLogits(h *headtrain.Head, m *labelled.Matrix, rows []int32, logits []float32) {
	const share = 1024
	k := len(h.Classes)
	z := make([]float32, share*k)
	for some := range slices.Chunk(rows, share) {
		h.Logits(z, m.Gather(some).X, len(some))
		for i, r := range some {
			copy(logits[int(r)*k:(int(r)+1)*k], z[i*k:])
		}
	}
}
