package probe

import (
	"cmp"
	"context"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/nearest"
)

// Pair is two rows, the lower one first, and the cosine of the angle between them.
type Pair struct {
	I, J   int
	Cosine float64
}

// pairsOfRow is the most pairs that Copies lists for a row. Without a bound, the
// frames of a film would make millions.
const pairsOfRow = 8

// Copies finds the pairs of rows, labelled or not, whose cosine is at least threshold.
// It returns their total and, for each row, the 8 nearest of its pairs with later rows.
// The pairs with the largest cosine come first, those of equal cosines in the order of
// their rows. Its error wraps headtrain.ErrDataset or is that of ctx.
func Copies(ctx context.Context, d *headtrain.Dataset, threshold float32) (pairs []Pair, total int, err error) {
	if err := d.Validate(); err != nil {
		return nil, 0, err
	}
	found := make([][]nearest.Neighbour, d.Rows())
	count := make([]int, d.Rows())
	m := (*labelled.Matrix)(d)
	err = nearest.NewBank(m).EachBlock(ctx, m, func(q int) int { return q }, func(q, at int, products []float32) {
		for i, v := range products {
			if v >= threshold && at+i > q {
				count[q]++
				if list := found[q]; len(list) < pairsOfRow || float64(v) > list[pairsOfRow-1].Cosine {
					found[q] = nearest.Insert(list, nearest.Neighbour{Row: at + i, Cosine: float64(v)}, pairsOfRow)
				}
			}
		}
	})
	for i, list := range found {
		total += count[i]
		for _, n := range list {
			pairs = append(pairs, Pair{i, n.Row, n.Cosine})
		}
	}
	slices.SortStableFunc(pairs, func(a, b Pair) int { return cmp.Compare(b.Cosine, a.Cosine) })
	return pairs, total, err
}
