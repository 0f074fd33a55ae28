package pipeline

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"

	"icebox/cache"
	"icebox/headtrain"
)

// folding knows the fold of each training row and the order in which rows are
// taken when not all are, and makes of them the part that a head sees.
type folding struct {
	folds  int
	labels []int32
	of     []int   // fold of each row; nil without folds
	order  []int32 // rows by content hash
	parts  map[partID]headtrain.Part
}

type partID struct {
	fold     int // -1 is none
	fraction float64
}

// newFolding deals the training rows to folds, class by class: items of one group,
// and copies of one content, stay together. The order is that of content hashes,
// so that it depends neither on a seed nor on how files are named.
func newFolding(ds *Dataset, r *rows, folds int) (*folding, error) {
	f := &folding{folds: folds, labels: r.data.Labels, parts: map[partID]headtrain.Part{}}
	units := rowUnits(ds, r)
	for _, u := range units {
		for _, n := range u {
			f.order = append(f.order, int32(n))
		}
	}
	if folds == 0 {
		return f, nil
	}
	f.of = make([]int, len(r.items))
	perClass := map[int32][][]int{}
	for _, u := range units {
		class := r.data.Labels[u[0]]
		perClass[class] = append(perClass[class], u)
	}
	total := make([]int, folds)
	for _, class := range slices.Sorted(maps.Keys(perClass)) {
		f.deal(perClass[class], total)
	}
	return f, f.check(r, perClass)
}

// deal gives each unit to the fold that has the fewest rows of the class, then to
// the one that has the fewest in all.
func (f *folding) deal(units [][]int, total []int) {
	have := make([]int, f.folds)
	for _, u := range units {
		best := 0
		for k := range have {
			if have[k] < have[best] || have[k] == have[best] && total[k] < total[best] {
				best = k
			}
		}
		for _, n := range u {
			f.of[n] = best
		}
		have[best] += len(u)
		total[best] += len(u)
	}
}

// check refuses folds that leave a class out of a fold, or out of what is trained
// on beside it.
func (f *folding) check(r *rows, perClass map[int32][][]int) error {
	in := make([][]int, len(r.data.Classes)) // class × fold
	for c := range in {
		in[c] = make([]int, f.folds)
	}
	for n, fold := range f.of {
		in[r.data.Labels[n]][fold]++
	}
	for c, folds := range in {
		all := 0
		for _, n := range folds {
			all += n
		}
		if slices.Contains(folds, 0) || slices.Contains(folds, all) {
			return fmt.Errorf("%w: sweep.folds (%d): class %q has %d training rows that can be told apart (groups and copies stay together): at most so many folds, or more images",
				ErrData, f.folds, r.data.Classes[c], len(perClass[int32(c)]))
		}
	}
	return nil
}

// part is what a head of a fold (-1: none) and a fraction of the rows sees: of each
// class the first rows by content hash, at least one, so that a smaller fraction is
// part of every larger one. Equal parts share their slices.
func (f *folding) part(fold int, fraction float64) headtrain.Part {
	if fold < 0 && fraction >= 1 {
		return headtrain.Part{}
	}
	id := partID{fold, fraction}
	p, ok := f.parts[id]
	if ok {
		return p
	}
	left := map[int32]float64{} // rows of a class to take
	for n, y := range f.labels {
		if fold >= 0 && f.of[n] == fold {
			p.Val = append(p.Val, int32(n))
		} else {
			left[y]++
		}
	}
	for y, n := range left {
		left[y] = max(1, math.Round(fraction*n))
	}
	for _, n := range f.order {
		if y := f.labels[n]; left[y] > 0 && !(fold >= 0 && f.of[n] == fold) {
			p.Train = append(p.Train, n)
			left[y]--
		}
	}
	slices.Sort(p.Train)
	f.parts[id] = p
	return p
}

// rowUnits groups the places of r's items by group, else by content, and orders
// the groups by their smallest content hash.
func rowUnits(ds *Dataset, r *rows) [][]int {
	type group struct {
		order cache.Key
		rows  []int
	}
	byName := map[string]*group{}
	var groups []*group
	for n, i := range r.items {
		it := &ds.Items[i]
		g := byName[it.unitName()]
		if g == nil {
			g = &group{order: it.Hash}
			byName[it.unitName()] = g
			groups = append(groups, g)
		}
		g.rows = append(g.rows, n)
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

// restrict returns the rows of r at the given places; nil stands for all.
func (r *rows) restrict(at []int32) *rows {
	if at == nil {
		return r
	}
	d := r.data
	out := &rows{data: &headtrain.Dataset{Dim: d.Dim, Classes: d.Classes}}
	out.data.X = headtrain.NewFeatures(len(at) * d.Dim)[:0]
	for _, n := range at {
		out.items = append(out.items, r.items[n])
		out.data.Labels = append(out.data.Labels, d.Labels[n])
		out.data.X = append(out.data.X, d.Row(int(n))...)
	}
	return out
}

// joined returns the rows of a and b, in the order of the dataset.
func joined(a, b *rows) *rows {
	all := &rows{
		items: slices.Concat(a.items, b.items),
		data:  &headtrain.Dataset{Dim: a.data.Dim, Classes: a.data.Classes, X: slices.Concat(a.data.X, b.data.X), Labels: slices.Concat(a.data.Labels, b.data.Labels)},
	}
	order := make([]int32, len(all.items))
	for n := range order {
		order[n] = int32(n)
	}
	slices.SortFunc(order, func(x, y int32) int { return all.items[x] - all.items[y] })
	return all.restrict(order)
}
