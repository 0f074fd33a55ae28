package headtrain

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// OutOfFold trains a head for each fold on the labelled rows of the others and
// returns, for every row, the logits of the head that did not see it. Only rows
// for which train is true are trained on; nil is all. Heads are trained side
// by side, each on one thread. A fold without rows is left out.
func OutOfFold(ctx context.Context, t Trainer, d *Dataset, fold []int, folds int, train []bool, o Options) ([]float32, error) {
	if len(fold) != d.Rows() || train != nil && len(train) != d.Rows() {
		return nil, fmt.Errorf("%w: %d rows, but folds for %d", ErrDataset, d.Rows(), len(fold))
	}
	k := len(d.Classes)
	logits := make([]float32, d.Rows()*k)
	o.Threads = 1
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for f := range folds {
		seen := &Dataset{X: d.X, Dim: d.Dim, Classes: d.Classes, Labels: make([]int32, d.Rows())}
		var judged []int
		for r, of := range fold {
			seen.Labels[r] = -1
			if of == f {
				judged = append(judged, r)
			} else if train == nil || train[r] {
				seen.Labels[r] = d.Labels[r]
			}
		}
		if len(judged) == 0 {
			continue
		}
		group.Go(func() error {
			results, err := t.Fit(ctx, Job{Train: seen, Heads: []Options{o}})
			if err != nil {
				return fmt.Errorf("fold %d: %w", f, err)
			}
			judge(results[0].Head, d, judged, logits)
			return nil
		})
	}
	return logits, group.Wait()
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
