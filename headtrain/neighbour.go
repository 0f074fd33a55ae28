package headtrain

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Neighbour is a row and the cosine of its angle with another.
type Neighbour struct {
	Row    int
	Cosine float64
}

// spare is how many more candidates are kept in float32 than are asked for, for
// float64 to choose from: neighbours are often as near as float32 can tell.
const spare = 12

// Neighbours returns, for each row of queries, the k labelled rows of bank of
// the largest cosine, the nearest first; of equals the lower row. There are
// fewer where bank has fewer. Candidates are found in float32 and ordered in
// float64.
func Neighbours(ctx context.Context, bank, queries *Dataset, k int) ([][]Neighbour, error) {
	if err := checkPair(bank, queries); err != nil {
		return nil, err
	}
	found := make([][]Neighbour, queries.Rows())
	keep := k + spare
	for q := range found {
		found[q] = make([]Neighbour, 0, keep)
	}
	packed := packBank(bank.Rows(), bank.Dim, bank.unitRow)
	err := packed.eachBlock(ctx, queries.Rows(), queries.unitRow, func(int) int { return 0 }, func(q, at int, products []float32) {
		list := found[q]
		for i, v := range products {
			if (len(list) < keep || float64(v) > list[keep-1].Cosine) && bank.Labels[at+i] >= 0 {
				list = insert(list, Neighbour{at + i, float64(v)}, keep)
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
func refine(ctx context.Context, found [][]Neighbour, bank, queries *Dataset, k int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < len(found); lo += queryRows {
		group.Go(func() error {
			for q := lo; q < min(lo+queryRows, len(found)); q++ {
				list, x := found[q], queries.Row(q)
				for i, n := range list {
					list[i].Cosine = cosine(bank.Row(n.Row), x)
				}
				slices.SortFunc(list, func(a, b Neighbour) int {
					return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.Row, b.Row))
				})
				found[q] = list[:min(k, len(list))]
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// cosine is that of the angle between two rows; 0 if one of them is 0.
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

// insert puts n behind those that are as near, and keeps at most k.
func insert(list []Neighbour, n Neighbour, k int) []Neighbour {
	i := len(list)
	for i > 0 && list[i-1].Cosine < n.Cosine {
		i--
	}
	if i == k {
		return list
	}
	if len(list) == k {
		list = list[:k-1]
	}
	return slices.Insert(list, i, n)
}

func checkPair(bank, queries *Dataset) error {
	if err := checkSet("reference", bank); err != nil {
		return err
	}
	if err := queries.Validate(); err != nil {
		return err
	}
	if bank.Dim != queries.Dim {
		return fmt.Errorf("%w: rows of %d features have no angle with rows of %d", ErrDataset, queries.Dim, bank.Dim)
	}
	return nil
}

// Vote returns the class of the first k neighbours, whose votes are their
// cosines; of equals the lower class.
func Vote(neighbours []Neighbour, k int, labels []int32, classes int) int {
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

// Pair is two rows, the lower first, and the cosine of their angle.
type Pair struct {
	I, J   int
	Cosine float64
}

// pairsOfRow bounds what SimilarPairs keeps: films and bursts would otherwise
// make millions of pairs.
const pairsOfRow = 8

// SimilarPairs finds the pairs of rows whose cosine is at least threshold,
// labelled or not. It returns how many there are, and of each row's pairs with
// later rows the 8 nearest; the nearest first, then by row.
func SimilarPairs(ctx context.Context, d *Dataset, threshold float32) (pairs []Pair, total int, err error) {
	if err := d.Validate(); err != nil {
		return nil, 0, err
	}
	found := make([][]Neighbour, d.Rows())
	count := make([]int, d.Rows())
	packed := packBank(d.Rows(), d.Dim, d.unitRow)
	err = packed.eachBlock(ctx, d.Rows(), d.unitRow, func(q int) int { return q }, func(q, at int, products []float32) {
		for i, v := range products {
			if v >= threshold && at+i > q {
				count[q]++
				if list := found[q]; len(list) < pairsOfRow || float64(v) > list[pairsOfRow-1].Cosine {
					found[q] = insert(list, Neighbour{at + i, float64(v)}, pairsOfRow)
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
