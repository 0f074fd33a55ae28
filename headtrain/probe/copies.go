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

// NearCosine is from where on two images count as near copies: the cosine of their
// whitened features (see [Whiten]). Copies that were scaled, cropped a little or saved
// again lie above it.
const NearCosine = 0.7

// Leaks counts the rows of queries that have a row of bank whose cosine is at least
// threshold, after all rows were whitened together (see [Whiten]). Both have the same Dim.
// It takes bank × queries × Dim multiplications and a copy of all rows. Its error wraps
// headtrain.ErrDataset or is that of ctx.
func Leaks(ctx context.Context, bank, queries *headtrain.Dataset, threshold float32) (int, error) {
	all := &headtrain.Dataset{
		X: slices.Concat(bank.X, queries.X), Dim: bank.Dim,
		Labels: make([]int32, bank.Rows()+queries.Rows()), Classes: []string{""},
	}
	white, err := Whiten(ctx, all)
	if err != nil {
		return 0, err
	}
	n := bank.Rows()
	part := func(lo, hi int) *labelled.Matrix {
		return &labelled.Matrix{X: white.X[lo*all.Dim : hi*all.Dim], Dim: all.Dim, Labels: white.Labels[lo:hi], Classes: white.Classes}
	}
	leaks := make([]bool, queries.Rows())
	err = nearest.NewBank(part(0, n)).EachBlock(ctx, part(n, n+len(leaks)), func(int) int { return 0 }, func(q, _ int, products []float32) {
		leaks[q] = leaks[q] || slices.Max(products) >= threshold
	})
	count := 0
	for _, leak := range leaks {
		if leak {
			count++
		}
	}
	return count, err
}

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
