package judge

import (
	"cmp"
	"context"
	"math"
	"slices"

	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/nearest"
	"icebox/headtrain/internal/parallel"
)

// spare is how many candidates are kept beyond those asked for. Float64 chooses among
// them, since float32 often cannot tell which of two neighbours is nearer.
const spare = 12

// neighbours returns, for each row of queries, the k labelled rows of bank that have
// the largest cosine with it, or all if there are fewer: the nearest first, of equals
// the lower row.
func neighbours(ctx context.Context, bank, queries *labelled.Matrix, k int) ([][]nearest.Neighbour, error) {
	found := make([][]nearest.Neighbour, queries.Len())
	keep := k + spare
	for q := range found {
		found[q] = make([]nearest.Neighbour, 0, keep)
	}
	err := nearest.NewBank(bank).EachBlock(ctx, queries, func(int) int { return 0 }, func(q, at int, products []float32) {
		list := found[q]
		for i, v := range products {
			if (len(list) < keep || float64(v) > list[keep-1].Cosine) && bank.Labels[at+i] >= 0 {
				list = nearest.Insert(list, nearest.Neighbour{Row: at + i, Cosine: float64(v)}, keep)
			}
		}
		found[q] = list
	})
	if err != nil {
		return nil, err
	}
	return found, refine(ctx, found, bank, queries, k)
}

// refine orders candidates by their cosines in float64 and keeps k.
func refine(ctx context.Context, found [][]nearest.Neighbour, bank, queries *labelled.Matrix, k int) error {
	return parallel.Shares(ctx, len(found), nearest.QueryRows, func(_ context.Context, lo, hi int) error {
		for q := lo; q < hi; q++ {
			list, x := found[q], queries.Row(q)
			for i, n := range list {
				list[i].Cosine = cosine(bank.Row(n.Row), x)
			}
			slices.SortFunc(list, func(a, b nearest.Neighbour) int {
				return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.Row, b.Row))
			})
			found[q] = list[:min(k, len(list))]
		}
		return nil
	})
}

// cosine returns the cosine of the angle between two rows, or 0 if one of them is 0.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for j, v := range a {
		x, y := float64(v), float64(b[j])
		ab += float64(x * y)
		aa += float64(x * x)
		bb += float64(y * y)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / (math.Sqrt(aa) * math.Sqrt(bb))
}

// vote returns the class that the first k neighbours vote for, each with the weight of
// its cosine; of equals the lower class.
func vote(neighbours []nearest.Neighbour, k int, labels []int32, classes int) int {
	votes := make([]float64, classes)
	for _, n := range neighbours[:min(k, len(neighbours))] {
		votes[labels[n.Row]] += n.Cosine
	}
	best := 0
	for c, v := range votes {
		if v > votes[best] {
			best = c
		}
	}
	return best
}
