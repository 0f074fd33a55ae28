package corrections

import (
	"cmp"
	"maps"
	"slices"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

// Book is the changes to the items of a dataset. The dataset stays as it is, but for
// [Book.Lay].
type Book struct {
	ds     *dataset.Dataset
	byPath map[string][]int
	byHash map[cache.Key][]int
	given  []int32 // labels, by item
	names  []string
	open   map[int][]Change // changes not undone, the newest last, by item

	// Stale are changes of images that have other bytes by now, and Gone those of images that
	// are not there.
	Stale, Gone int
}

// NewBook begins the book of ds, which has its labels as given.
func NewBook(ds *dataset.Dataset) *Book {
	b := &Book{ds: ds, byPath: map[string][]int{}, byHash: map[cache.Key][]int{}, open: map[int][]Change{}, names: ds.Classes}
	b.Grow()
	return b
}

// Grow takes in the items that the dataset has more than when it was called last. They have
// no label, unless the dataset has its labels as given.
func (b *Book) Grow() {
	for i := len(b.given); i < len(b.ds.Items); i++ {
		it := &b.ds.Items[i]
		b.given = append(b.given, it.Label)
		path := b.ds.Display(it)
		b.byPath[path] = append(b.byPath[path], i)
		if it.Hashed() {
			b.byHash[it.Hash] = append(b.byHash[it.Hash], i)
		}
	}
}

// Add takes in changes, and returns the items that one of them is of, rising.
func (b *Book) Add(changes ...Change) []int {
	touched := map[int]bool{}
	for _, c := range changes {
		items := b.Of(&c)
		if _, named := b.byPath[c.Path]; len(items) == 0 && named {
			b.Stale++
		} else if len(items) == 0 {
			b.Gone++
		}
		for _, i := range items {
			touched[i] = true
			if c.Action != Undo {
				b.open[i] = append(b.open[i], c)
			} else if n := len(b.open[i]); n > 0 {
				b.open[i] = b.open[i][:n-1]
			}
		}
	}
	return slices.Sorted(maps.Keys(touched))
}

// Of are the items that a change is of, rising.
func (b *Book) Of(c *Change) []int {
	named, ok := b.byPath[c.Path]
	if !ok {
		return b.byHash[c.Hash]
	}
	var same []int
	for _, i := range named {
		if b.ds.Items[i].Hash == c.Hash {
			same = append(same, i)
		}
	}
	return same
}

// State is what changes have made of an item.
type State struct {
	Class               string // "" is none
	Excluded, Confirmed bool
}

// State returns the state of item i.
func (b *Book) State(i int) State { return stateOf(b.Given(i), b.open[i]) }

// Before is the state of item i before the newest of its changes that is not undone.
func (b *Book) Before(i int) State {
	open := b.open[i]
	return stateOf(b.Given(i), open[:max(len(open)-1, 0)])
}

// stateOf is what changes make of an image of a class.
func stateOf(given string, changes []Change) State {
	s := State{Class: given}
	for _, c := range changes {
		switch c.Action {
		case Relabel:
			s = State{Class: c.New}
		case Confirm:
			right := cmp.Or(c.New, c.Old)
			s.Excluded, s.Confirmed = false, right == "" || right == s.Class // the file may have moved to another class since
		case Exclude:
			s.Excluded = true
		}
	}
	return s
}

// Given is the class that item i has without changes; "" is none.
func (b *Book) Given(i int) string {
	if b.given[i] == dataset.Unlabelled {
		return ""
	}
	return b.names[b.given[i]]
}

// Changes are the changes of item i that are not undone, the newest last. The caller does
// not change them.
func (b *Book) Changes(i int) []Change { return b.open[i] }

// Changed are the items with changes, rising.
func (b *Book) Changed() []int {
	items := make([]int, 0, len(b.open))
	for i, c := range b.open {
		if len(c) > 0 {
			items = append(items, i)
		}
	}
	slices.Sort(items)
	return items
}

// Classes are those that the items have after all changes, sorted bytewise. It returns a
// [dataset.ErrAlike] where two of them look alike.
func (b *Book) Classes() ([]string, error) {
	count := make([]int, len(b.names))
	for _, l := range b.given {
		if l >= 0 {
			count[l]++
		}
	}
	used := map[string]bool{}
	for i, open := range b.open {
		if l := b.given[i]; l >= 0 && len(open) > 0 {
			count[l]--
		}
		if s := b.State(i); len(open) > 0 && !s.Excluded && s.Class != "" {
			used[s.Class] = true
		}
	}
	for l, n := range count {
		if n > 0 {
			used[b.names[l]] = true
		}
	}
	classes := slices.Sorted(maps.Keys(used))
	return classes, dataset.CheckAlike(classes)
}

// Lay gives the items of the dataset the labels that the changes say, and the dataset their
// classes. An excluded item has no label. It may be called again after [Book.Add].
func (b *Book) Lay() error {
	classes, err := b.Classes()
	if err != nil {
		return err
	}
	number := make(map[string]int32, len(classes))
	for n, c := range classes {
		number[c] = int32(n)
	}
	c := &dataset.Corrected{Classes: b.names, Labels: map[int]int32{}, Confirmed: map[int]bool{}, Excluded: map[int]bool{}}
	for i := range b.ds.Items {
		it := &b.ds.Items[i]
		it.Label = dataset.Unlabelled
		if l, ok := number[b.Given(i)]; ok {
			it.Label = l
		}
	}
	for _, i := range b.Changed() {
		it, s := &b.ds.Items[i], b.State(i)
		it.Label = dataset.Unlabelled
		if !s.Excluded && s.Class != "" {
			it.Label = number[s.Class]
		}
		if s.Excluded || s.Class != b.Given(i) {
			c.Labels[i] = b.given[i]
		}
		if s.Excluded {
			c.Excluded[i] = true
		} else if s.Confirmed {
			c.Confirmed[i] = true
		}
	}
	b.ds.Classes, b.ds.Corrected = classes, c
	return nil
}
