package dataset

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"

	"icebox/cache"
)

// ErrFolds, an [ErrData], is returned where a class has too few items to be in every fold.
var ErrFolds = fmt.Errorf("%w: too few images for the folds", ErrData)

// Folds deal rows, each of which is an item, to the folds of a cross-validation, and
// know in which order rows are taken where not all are.
type Folds struct {
	// Of is the fold of each row; nil where there are no folds.
	Of []int

	n      int
	labels []int32
	order  []int32 // rows by content hash
	shares map[shareID]Share
}

// Share is the rows that a head learns from, and those that it is judged by.
type Share struct {
	Train []int32 // nil: all rows
	Val   []int32
}

type shareID struct {
	fold     int // -1 is none
	fraction float64
}

// NewFolds deals the items of ds, by index, to n folds (0: none), class by class: items
// of one group, and copies of one content, stay together. The order is that of content
// hashes, so that it depends neither on a seed nor on how files are named. It returns an
// [ErrFolds] where a class is missing from a fold, or from what is trained on beside it.
func NewFolds(ds *Dataset, items []int, n int) (*Folds, error) {
	f := &Folds{n: n, labels: make([]int32, len(items)), shares: map[shareID]Share{}}
	for r, i := range items {
		f.labels[r] = ds.Items[i].Label
	}
	units := rowUnits(ds, items)
	for _, u := range units {
		for _, r := range u {
			f.order = append(f.order, int32(r))
		}
	}
	if n == 0 {
		return f, nil
	}
	f.Of = make([]int, len(items))
	perClass := map[int32][][]int{}
	for _, u := range units {
		class := f.labels[u[0]]
		perClass[class] = append(perClass[class], u)
	}
	total := make([]int, n)
	for _, class := range slices.Sorted(maps.Keys(perClass)) {
		f.deal(perClass[class], total)
	}
	return f, f.check(ds.Classes, perClass)
}

// deal gives each unit to the fold that has the fewest rows of the class, then to
// the one that has the fewest in all.
func (f *Folds) deal(units [][]int, total []int) {
	have := make([]int, f.n)
	for _, u := range units {
		best := 0
		for k := range have {
			if have[k] < have[best] || have[k] == have[best] && total[k] < total[best] {
				best = k
			}
		}
		for _, r := range u {
			f.Of[r] = best
		}
		have[best] += len(u)
		total[best] += len(u)
	}
}

// check refuses folds that leave a class out of a fold, or out of what is trained
// on beside it.
func (f *Folds) check(classes []string, perClass map[int32][][]int) error {
	in := make([][]int, len(classes)) // class × fold
	for c := range in {
		in[c] = make([]int, f.n)
	}
	for r, fold := range f.Of {
		in[f.labels[r]][fold]++
	}
	for c, folds := range in {
		all := 0
		for _, n := range folds {
			all += n
		}
		if slices.Contains(folds, 0) || slices.Contains(folds, all) {
			return fmt.Errorf("%w: %d folds are asked for, but class %q has only %d training rows that can be told apart (groups and copies stay together)",
				ErrFolds, f.n, classes[c], len(perClass[int32(c)]))
		}
	}
	return nil
}

// Share is what a head of a fold (-1: none) and a fraction of the rows sees: of each
// class the first rows by content hash, at least one, so that a smaller fraction is
// part of every larger one. Equal shares share their slices, which the caller must not
// change.
func (f *Folds) Share(fold int, fraction float64) Share {
	if fold < 0 && fraction >= 1 {
		return Share{}
	}
	id := shareID{fold, fraction}
	s, ok := f.shares[id]
	if ok {
		return s
	}
	left := map[int32]float64{} // rows of a class to take
	for r, y := range f.labels {
		if fold >= 0 && f.Of[r] == fold {
			s.Val = append(s.Val, int32(r))
		} else {
			left[y]++
		}
	}
	for y, n := range left {
		left[y] = max(1, math.Round(fraction*n))
	}
	for _, r := range f.order {
		if y := f.labels[r]; left[y] > 0 && !(fold >= 0 && f.Of[r] == fold) {
			s.Train = append(s.Train, r)
			left[y]--
		}
	}
	slices.Sort(s.Train)
	f.shares[id] = s
	return s
}

// rowUnits groups rows by their items' group, else by content, and orders the groups
// by their smallest content hash.
func rowUnits(ds *Dataset, items []int) [][]int {
	type group struct {
		order cache.Key
		rows  []int
	}
	byName := map[unitName]*group{}
	var groups []*group
	for r, i := range items {
		it := &ds.Items[i]
		g := byName[it.unitName()]
		if g == nil {
			g = &group{order: it.Hash}
			byName[it.unitName()] = g
			groups = append(groups, g)
		}
		g.rows = append(g.rows, r)
		if bytes.Compare(it.Hash[:], g.order[:]) < 0 {
			g.order = it.Hash
		}
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return bytes.Compare(a.order[:], b.order[:]) })
	units := make([][]int, len(groups))
	for i, g := range groups {
		units[i] = g.rows
	}
	return units
}
