package headtrain

import (
	"context"
	"encoding/json"
	"fmt"
)

// OutOfFold trains a head for each fold on the labelled rows of the others, all as
// one job, and returns, for every row, the logits of the head that did not see it.
// Only rows for which train is true are trained on; nil is all. A fold without rows
// is left out.
func OutOfFold(ctx context.Context, t Trainer, d *Dataset, fold []int, folds int, train []bool, o Options) ([]float32, error) {
	if len(fold) != d.Rows() || train != nil && len(train) != d.Rows() {
		return nil, fmt.Errorf("%w: %d rows, but folds for %d", ErrDataset, d.Rows(), len(fold))
	}
	job := Job{Train: d}
	var judged [][]int
	for f := range folds {
		var own []int
		seen := []int32{} // nil would be all
		for r, of := range fold {
			if of == f {
				own = append(own, r)
			} else if train == nil || train[r] {
				seen = append(seen, int32(r))
			}
		}
		if len(own) > 0 {
			judged = append(judged, own)
			job.Heads, job.Parts = append(job.Heads, o), append(job.Parts, Part{Train: seen})
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
		judge(r.Head, d, judged[i], logits)
	}
	return logits, nil
}

// judge writes the logits of some rows to their places.
func judge(h *Head, d *Dataset, rows []int, logits []float32) {
	const share = 1024
	k := len(h.Classes)
	z := make([]float32, share*k)
	for len(rows) > 0 {
		n := min(share, len(rows))
		h.Logits(z, d.gather(rows[:n]).X, n)
		for i, r := range rows[:n] {
			copy(logits[r*k:(r+1)*k], z[i*k:])
		}
		rows = rows[n:]
	}
}

// Trained returns the options that a head was trained with and the number of
// epochs that its weights have seen, for another head of its kind.
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
