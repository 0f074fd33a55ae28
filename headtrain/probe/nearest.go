package probe

import (
	"context"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/internal/parallel"
)

// Query asks for the row of a class that is nearest to a row of features.
type Query struct {
	Row   []float32
	Class int32
	Not   int // the row of the bank that does not count, such as Row itself; -1 is none
}

// NearestOf returns for each query the labelled row of bank that has the largest cosine with
// it, of equals the first; -1 where the class has none. The error is that of ctx.
func NearestOf(ctx context.Context, bank *headtrain.Dataset, queries []Query) ([]int, error) {
	found := make([]int, len(queries))
	err := parallel.Shares(ctx, len(queries), 1, func(_ context.Context, lo, hi int) error {
		for n := lo; n < hi; n++ {
			found[n] = queries[n].nearest(bank)
		}
		return nil
	})
	return found, err
}

func (q *Query) nearest(bank *headtrain.Dataset) int {
	best, most := -1, math.Inf(-1)
	for r, label := range bank.Labels {
		if label != q.Class || r == q.Not {
			continue
		}
		var ab, bb float64
		for j, v := range bank.Row(r) {
			ab += float64(v) * float64(q.Row[j])
			bb += float64(v) * float64(v)
		}
		if bb > 0 {
			ab /= math.Sqrt(bb)
		}
		if ab > most {
			best, most = r, ab
		}
	}
	return best
}
