package dataset

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"icebox/cache"
)

// items makes n items of each class with contents of their own.
func items(classes, n int, seed uint64) *Dataset {
	rng := rand.New(rand.NewPCG(seed, 1))
	ds := &Dataset{Split: Split{Val: 0.2, Test: 0.1}}
	for c := range classes {
		ds.Classes = append(ds.Classes, fmt.Sprint("class", c))
		for range n {
			it := Item{Label: int32(c)}
			for k := range it.Hash {
				it.Hash[k] = byte(rng.Uint32())
			}
			ds.Items = append(ds.Items, it)
		}
	}
	return ds
}

func parts(ds *Dataset) map[cache.Key]Part {
	m := map[cache.Key]Part{}
	for _, it := range ds.Items {
		m[it.Hash] = it.Part
	}
	return m
}

func TestSplitFillsTheQuotaOfEachClass(t *testing.T) {
	ds := items(3, 50, 1)
	ds.AssignParts(nil)
	counts := map[string]int{}
	for i := range ds.Items {
		counts[fmt.Sprint(ds.Items[i].Label, ds.Items[i].Part)]++
	}
	for c := range 3 {
		if counts[fmt.Sprint(c, Train)] != 35 || counts[fmt.Sprint(c, Val)] != 10 || counts[fmt.Sprint(c, Test)] != 5 {
			t.Errorf("class %d: %v", c, counts)
		}
	}
}

func TestSplitDoesNotDependOnOrder(t *testing.T) {
	a, b := items(4, 30, 2), items(4, 30, 2)
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(b.Items), func(i, j int) { b.Items[i], b.Items[j] = b.Items[j], b.Items[i] })
	a.AssignParts(nil)
	b.AssignParts(nil)
	want := parts(a)
	for h, p := range parts(b) {
		if want[h] != p {
			t.Fatalf("%x is %v and %v", h[:4], want[h], p)
		}
	}
}

func TestNothingMovesWhenFilesAreAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(1, 40).Draw(t, "before")
		more := rapid.IntRange(0, 40).Draw(t, "added")
		before := items(2, n, seed)
		before.AssignParts(nil)
		had := parts(before)

		after := &Dataset{Classes: before.Classes, Split: before.Split}
		for _, it := range append(items(2, more, seed+1).Items, before.Items...) {
			it.Part, it.Assigned = Unassigned, false
			after.Items = append(after.Items, it)
		}
		after.AdoptParts(before)
		after.AssignParts(nil)
		train := 0
		for _, it := range after.Items {
			if p, ok := had[it.Hash]; ok && p != it.Part {
				t.Fatalf("%x moved from %v to %v", it.Hash[:4], p, it.Part)
			}
			if it.Part == Unassigned {
				t.Fatal("an item has no part")
			}
			if it.Part == Train {
				train++
			}
		}
		if train == 0 {
			t.Fatal("nothing left to train on")
		}
	})
}

func TestGroupsAndCopiesStayTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := items(3, rapid.IntRange(2, 30).Draw(t, "n"), rapid.Uint64().Draw(t, "seed"))
		for i := range ds.Items {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				ds.Items[i].Group = fmt.Sprint("g", rapid.IntRange(0, 5).Draw(t, "group"))
			case 1:
				ds.Items[i].Hash = ds.Items[0].Hash
			}
		}
		ds.AssignParts(nil)
		of := map[string]Part{}
		for _, it := range ds.Items {
			name := "h" + string(it.Hash[:])
			if it.Group != "" {
				name = "g" + it.Group
			}
			if p, ok := of[name]; ok && p != it.Part {
				t.Fatalf("%q is in %v and %v", name, p, it.Part)
			}
			of[name] = it.Part
		}
	})
}

func TestGivenPartsAreLeftAlone(t *testing.T) {
	ds := items(2, 20, 5)
	for i := range ds.Items {
		if i%5 == 0 {
			ds.Items[i].Part = Val
		}
	}
	ds.Split = Split{Val: 0.5}.Effective(ds)
	if ds.Split.Val != 0 {
		t.Fatal("a part that is given must not be taken from train as well")
	}
	ds.AssignParts(nil)
	if n := ds.Count(Val); n != 8 {
		t.Errorf("%d validation items, 8 were given", n)
	}
}

// Near pairs lie in one part, unless what was assigned, or the limit, keeps them apart.
func TestNearPairsLieInOnePart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := items(2, rapid.IntRange(2, 40).Draw(t, "n"), rapid.Uint64().Draw(t, "seed"))
		index := rapid.IntRange(0, len(ds.Items)-1)
		for range rapid.IntRange(0, 5).Draw(t, "assigned") {
			it := &ds.Items[index.Draw(t, "item")]
			it.Part, it.Assigned = Part(rapid.IntRange(1, 3).Draw(t, "part")), true
		}
		var near [][2]int
		joined := newJoined(len(ds.Items))
		for range rapid.IntRange(0, 10).Draw(t, "pairs") {
			pair := [2]int{index.Draw(t, "a"), index.Draw(t, "b")}
			near = append(near, pair)
			joined.join(pair[0], pair[1])
		}
		was := parts(ds)
		fixed := map[int]int{} // assigned items of a set
		for i := range ds.Items {
			if ds.Items[i].Assigned {
				fixed[joined.root(i)]++
			}
		}
		ds.AssignParts(near)
		for i := range ds.Items {
			it := &ds.Items[i]
			if p := was[it.Hash]; p != Unassigned && it.Part != p {
				t.Fatalf("item %d moved from %v to %v", i, p, it.Part)
			}
			if root := joined.root(i); fixed[root] < 2 && joined.size(i) <= nearLimit && ds.Items[root].Part != it.Part {
				t.Fatalf("items %d and %d are in %v and %v", i, root, it.Part, ds.Items[root].Part)
			}
		}
	})
}

// joined is a naive union of sets.
type joined []int

func newJoined(n int) joined {
	j := make(joined, n)
	for i := range j {
		j[i] = i
	}
	return j
}

func (j joined) root(i int) int { return j[i] }

func (j joined) size(i int) (n int) {
	for _, r := range j {
		if r == j[i] {
			n++
		}
	}
	return n
}

func (j joined) join(a, b int) {
	from, to := j[b], j[a]
	for i := range j {
		if j[i] == from {
			j[i] = to
		}
	}
}
