package dataset

import (
	"bytes"
	"math"
	"slices"

	"icebox/cache"
)

// Split gives the fractions of the training items, within each class, to hold out
// where no source is given for them.
type Split struct {
	Val  float64 // 0 ≤ Val < 1
	Test float64 // 0 ≤ Test < 1, Val+Test < 1
	// Near keeps images in one part that are near copies of each other, such as frames of
	// one film.
	Near bool `json:",omitempty"`
}

// Effective returns s with 0 for a part that ds was given. Items without a label are no such
// part: nothing can be judged by them.
func (s Split) Effective(ds *Dataset) Split {
	for i := range ds.Items {
		switch it := &ds.Items[i]; {
		case it.Assigned || it.Label == Unlabelled:
		case it.Part == Val:
			s.Val = 0
		case it.Part == Test:
			s.Test = 0
		}
	}
	s.Near = s.Near && (s.Val > 0 || s.Test > 0)
	return s
}

// AdoptParts gives items the part that their content was assigned in earlier, if the
// fractions are the same: what was once assigned does not move. A nil earlier changes
// nothing.
func (ds *Dataset) AdoptParts(earlier *Dataset) {
	if earlier == nil || earlier.Split != ds.Split {
		return
	}
	eachPair(ds, earlier, func(i, j int) {
		if it, was := &ds.Items[i], &earlier.Items[j]; it.Part == Unassigned && it.Hashed() && was.Assigned && it.Hash == was.Hash {
			it.Part, it.Assigned = was.Part, true
		}
	})
	if !ds.open() {
		return
	}
	had := map[cache.Key]Part{}
	for i := range earlier.Items {
		if it := &earlier.Items[i]; it.Assigned && it.Hashed() {
			had[it.Hash] = it.Part
		}
	}
	for i := range ds.Items {
		it := &ds.Items[i]
		if p, ok := had[it.Hash]; ok && it.Part == Unassigned && it.Hashed() {
			it.Part, it.Assigned = p, true
		}
	}
}

// AssignParts gives every item whose content is known, and that has no part yet, one. Those of a
// class are taken in the order of their content's hash until the class's quota of
// held-out items is filled; items of one group, copies of one content, and pairs that are
// near, by index, stay together, as far as that keeps enough apart. Items that could not be
// read stay unassigned.
func (ds *Dataset) AssignParts(near [][2]int) {
	if len(near) == 0 && ds.settled() {
		return
	}
	units := splitUnits(ds, near)
	for c := range ds.Classes {
		splitClass(ds, units, int32(c))
	}
	for _, u := range units {
		if !u.placed {
			u.assign(ds, Train)
		}
	}
}

// open reports whether an item whose content is known has no part.
func (ds *Dataset) open() bool {
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Part == Unassigned && it.Hashed() {
			return true
		}
	}
	return false
}

// settled reports whether AssignParts has nothing to do. Items of one content have one part,
// by whom they were given it; those of a group may have two, where it has changed.
func (ds *Dataset) settled() bool {
	if ds.open() {
		return false
	}
	of := map[string]Part{}
	for i := range ds.Items {
		it := &ds.Items[i]
		if !it.Hashed() || !it.Assigned || it.Group == "" {
			continue
		}
		if p, ok := of[it.Group]; ok && p != it.Part {
			return false
		}
		of[it.Group] = it.Part
	}
	return true
}

// unit is a set of items that must share a part.
type unit struct {
	order  cache.Key // smallest content hash
	label  int32     // of its first item
	items  []int
	placed bool // has a part
}

func (u *unit) assign(ds *Dataset, p Part) {
	u.placed = true
	for _, i := range u.items {
		ds.Items[i].Part, ds.Items[i].Assigned = p, true
	}
}

// unitName tells apart what may lie in different parts or folds: groups, and
// contents of items without one.
type unitName struct {
	group   string
	content cache.Key
}

func (it *Item) unitName() unitName {
	if it.Group == "" {
		return unitName{content: it.Hash}
	}
	return unitName{group: it.Group}
}

// splitUnits groups the items whose part is ours to choose by group, else by
// content, ordered by hash; near pairs make one unit of two. A unit with an assigned item
// takes that part.
func splitUnits(ds *Dataset, near [][2]int) []*unit {
	byName := make(map[unitName]*unit, len(ds.Items))
	units := make([]*unit, 0, len(ds.Items))
	for i := range ds.Items {
		it := &ds.Items[i]
		if !it.Hashed() || it.Part != Unassigned && !it.Assigned {
			continue
		}
		name := it.unitName()
		u := byName[name]
		if u == nil {
			u = &unit{order: it.Hash, label: it.Label}
			byName[name] = u
			units = append(units, u)
		}
		u.items = append(u.items, i)
		if bytes.Compare(it.Hash[:], u.order[:]) < 0 {
			u.order = it.Hash
		}
	}
	units = joinNear(ds, units, near)
	for _, u := range units {
		for _, i := range u.items {
			if it := &ds.Items[i]; it.Assigned {
				u.assign(ds, it.Part)
				break
			}
		}
	}
	slices.SortFunc(units, func(a, b *unit) int { return bytes.Compare(a.order[:], b.order[:]) })
	return units
}

// nearLimit is how many items near pairs join at most, unless a twentieth of all is more: a
// chain of them, such as a film, must leave something to hold out.
const nearLimit = 16

// joinNear makes one unit of those that near pairs connect, in the order of the pairs.
// Units whose items were assigned to two parts stay two.
func joinNear(ds *Dataset, units []*unit, near [][2]int) []*unit {
	if len(near) == 0 {
		return units
	}
	of := make([]*unit, len(ds.Items))
	for _, u := range units {
		for _, i := range u.items {
			of[i] = u
		}
	}
	partOf := func(u *unit) Part {
		for _, i := range u.items {
			if ds.Items[i].Assigned {
				return ds.Items[i].Part
			}
		}
		return Unassigned
	}
	limit := max(nearLimit, len(ds.Items)/20)
	for _, pair := range near {
		a, b := of[pair[0]], of[pair[1]]
		if a == nil || b == nil || a == b || len(a.items)+len(b.items) > limit {
			continue
		}
		if p, q := partOf(a), partOf(b); p != q && p != Unassigned && q != Unassigned {
			continue
		}
		for _, i := range b.items {
			of[i] = a
		}
		a.items, b.items = append(a.items, b.items...), nil
		if bytes.Compare(b.order[:], a.order[:]) < 0 {
			a.order = b.order
		}
	}
	return slices.DeleteFunc(units, func(u *unit) bool { return u.items == nil })
}

// splitClass fills the quotas of one class from its units that have no part yet.
func splitClass(ds *Dataset, units []*unit, class int32) {
	total := 0
	have := map[Part]int{}
	var free []*unit
	for _, u := range units {
		if u.label != class {
			continue
		}
		total += len(u.items)
		if u.placed {
			have[ds.Items[u.items[0]].Part] += len(u.items)
		} else {
			free = append(free, u)
		}
	}
	left := len(free)
	for _, want := range []struct {
		part     Part
		fraction float64
	}{{Test, ds.Split.Test}, {Val, ds.Split.Val}} {
		need := quota(total, want.fraction) - have[want.part]
		for _, u := range free {
			lastForTraining := left == 1 && have[Train] == 0
			if u.placed || len(u.items) > need || lastForTraining {
				continue
			}
			u.assign(ds, want.part)
			need -= len(u.items)
			left--
		}
	}
}

// quota is the number of n items to hold out: rounded, and at least 1 of two or more.
func quota(n int, fraction float64) int {
	if fraction == 0 || n < 2 {
		return 0
	}
	return max(1, int(math.Round(float64(n)*fraction)))
}
