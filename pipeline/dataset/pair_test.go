package dataset

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"icebox/cache"
)

// filesOf is a dataset of the files that keep wants of n, in the order of their names.
func filesOf(n int, keep func(int) bool) *Dataset {
	d := &Dataset{Name: "set", Sources: Sources{Train: "/d"}, Roots: []Root{{Dir: "/d"}}, Classes: []string{"a"}}
	for i := range n {
		if keep(i) {
			d.Items = append(d.Items, Item{Path: fmt.Sprintf("%06d.jpg", i), Stat: Stat{Size: int64(i), MTime: 5, CTime: 6, Inode: uint64(i + 1)}})
		}
	}
	return d
}

// known gives the items of d the content that their size says.
func known(d *Dataset) *Dataset {
	for i := range d.Items {
		d.Items[i].Hash = cache.Key{1, byte(d.Items[i].Stat.Size), byte(d.Items[i].Stat.Size >> 8)}
	}
	return d
}

func TestPairsAreFoundBesideWhatWasAddedAndTakenAway(t *testing.T) {
	everything := func(int) bool { return true }
	for name, keep := range map[string][2]func(int) bool{
		"alike":          {everything, everything},
		"one added":      {everything, func(i int) bool { return i != 10 }},
		"one gone":       {func(i int) bool { return i != 10 }, everything},
		"many added":     {everything, func(i int) bool { return i < 50 || i > 350 }},
		"many gone":      {func(i int) bool { return i < 50 || i > 350 }, everything},
		"here and there": {func(i int) bool { return i%7 != 0 }, func(i int) bool { return i%11 != 0 }},
	} {
		now, earlier := filesOf(3000, keep[0]), filesOf(3000, keep[1])
		both := 0
		for i := range 3000 {
			if keep[0](i) && keep[1](i) {
				both++
			}
		}
		found := 0
		eachPair(now, earlier, func(i, j int) {
			if found++; now.Items[i].Path != earlier.Items[j].Path {
				t.Fatalf("%s: %s is paired with %s", name, now.Items[i].Path, earlier.Items[j].Path)
			}
		})
		if found < both*2/3 {
			t.Errorf("%s: %d of %d pairs", name, found, both)
		}
	}
	none := 0
	eachPair(filesOf(3000, func(i int) bool { return i < 1000 }), filesOf(3000, func(i int) bool { return i >= 1000 }), func(int, int) { none++ })
	if none > 0 {
		t.Errorf("%d pairs of lists with nothing in common", none)
	}
}

func TestRecollectFindsWhatAPairDoesNot(t *testing.T) {
	all := func(int) bool { return true }
	earlier, other := known(filesOf(400, all)), known(filesOf(900, all))
	other.Name = "other"
	docs := kept(t, earlier, ForTraining)
	doc, err := other.Encode()
	must(t, err)
	docs[other.Document(ForEvaluation)] = doc
	have, err := Load(docs, ForTraining, "set")
	must(t, err)
	now := filesOf(1000, all)
	now.Items[3].Stat.MTime++                  // changed
	now.Items[5].Path = "elsewhere/000005.jpg" // moved
	rand.Shuffle(len(now.Items), func(i, j int) { now.Items[i], now.Items[j] = now.Items[j], now.Items[i] })
	must(t, now.Recollect(docs, have))
	for _, it := range now.Items {
		want := it.Stat.Size < 900 && it.Stat.MTime == 5
		if it.Hashed() != want || want && (it.Hash[1] != byte(it.Stat.Size) || it.Hash[2] != byte(it.Stat.Size>>8)) {
			t.Errorf("%s: hash %x", it.Path, it.Hash[:3])
		}
	}
	again := filesOf(400, all)
	must(t, again.Recollect(unread{t}, have)) // all are found in pairs
	if again.Items[399].Hash != earlier.Items[399].Hash {
		t.Error("the last one is not remembered")
	}
}

// unread are documents that nobody may ask for.
type unread struct{ *testing.T }

func (u unread) Doc(name string) ([]byte, error) {
	u.Errorf("document %s is read", name)
	return nil, errors.New("unread")
}

func (u unread) Docs(prefix string) []string {
	u.Errorf("documents %s are listed", prefix)
	return nil
}

func TestIsAsKeptSeesEveryDifference(t *testing.T) {
	d := known(filesOf(10, func(int) bool { return true }))
	earlier, err := Load(kept(t, d, ForTraining), ForTraining, "set")
	must(t, err)
	if !d.IsAsKept(earlier, ForTraining) || d.IsAsKept(earlier, ForEvaluation) || d.IsAsKept(nil, ForTraining) {
		t.Error("the same dataset")
	}
	for name, change := range map[string]func(*Dataset){
		"source":  func(d *Dataset) { d.Sources.Val = "/v" },
		"root":    func(d *Dataset) { d.Roots = []Root{{Dir: "/e"}} },
		"classes": func(d *Dataset) { d.Classes = []string{"b"} },
		"split":   func(d *Dataset) { d.Split.Val = 0.3 },
		"reading": func(d *Dataset) { d.Reading.Suffix = ".x" },
		"items":   func(d *Dataset) { d.Items = d.Items[:9] },
		"group":   func(d *Dataset) { d.Items[2].Group = "g" },
		"part":    func(d *Dataset) { d.Items[2].Part = Val },
		"label":   func(d *Dataset) { d.Items[2].Label = Unlabelled },
		"hash":    func(d *Dataset) { d.Items[2].Hash[31]++ },
		"stat":    func(d *Dataset) { d.Items[2].Stat.MTime++ },
	} {
		other := *d
		other.Items = slices.Clone(d.Items)
		if change(&other); other.IsAsKept(earlier, ForTraining) {
			t.Errorf("another %s is not seen", name)
		}
	}
}
