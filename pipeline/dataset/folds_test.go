package dataset

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"icebox/cache"
)

// items makes a dataset of n training rows with labels by class sizes, and a group
// for each run of g rows where g > 0.
func foldingSet(sizes []int, g int) (*Dataset, []int) {
	ds := &Dataset{}
	var rows []int
	rng := rand.New(rand.NewPCG(1, 2))
	for c, n := range sizes {
		ds.Classes = append(ds.Classes, fmt.Sprint(c))
		for range n {
			i := len(ds.Items)
			it := Item{Label: int32(c), Part: Train}
			for b := range it.Hash {
				it.Hash[b] = byte(rng.Uint32())
			}
			if g > 0 {
				it.Group = fmt.Sprint(i / g)
			}
			ds.Items = append(ds.Items, it)
			rows = append(rows, i)
		}
	}
	return ds, rows
}

func TestFoldsAreStratifiedAndCoverEachRowOnce(t *testing.T) {
	ds, r := foldingSet([]int{23, 50, 7}, 0)
	f, err := NewFolds(ds, r, 5)
	must(t, err)
	validated := make([]int, len(r))
	for k := range 5 {
		p := f.Share(k, 1)
		perClass := make([]int, 3)
		for _, n := range p.Val {
			validated[n]++
			perClass[ds.Items[r[n]].Label]++
			if slices.Contains(p.Train, n) {
				t.Errorf("row %d is on both sides of fold %d", n, k)
			}
		}
		for c, n := range perClass {
			if want := []int{23, 50, 7}[c]; n < want/5 || n > want/5+1 {
				t.Errorf("fold %d has %d of %d rows of class %d", k, n, want, c)
			}
		}
		if len(p.Train)+len(p.Val) != 80 || !slices.IsSorted(p.Train) {
			t.Errorf("fold %d: %d and %d rows", k, len(p.Train), len(p.Val))
		}
		if q := f.Share(k, 1); &q.Train[0] != &p.Train[0] || &q.Val[0] != &p.Val[0] {
			t.Error("equal parts do not share their slices")
		}
	}
	for n, times := range validated {
		if times != 1 {
			t.Errorf("row %d is validated %d times", n, times)
		}
	}
}

func TestGroupsAndCopiesStayInOneFold(t *testing.T) {
	ds, r := foldingSet([]int{40, 40}, 4)
	ds.Items[0].Group, ds.Items[9].Group = "", ""
	ds.Items[9].Hash = ds.Items[0].Hash // a copy
	f, err := NewFolds(ds, r, 3)
	must(t, err)
	foldOf := map[unitName]int{}
	for n, i := range r {
		name := ds.Items[i].unitName()
		if k, ok := foldOf[name]; ok && k != f.Of[n] {
			t.Errorf("%v lies in folds %d and %d", name, k, f.Of[n])
		}
		foldOf[name] = f.Of[n]
	}
	ds, r = foldingSet([]int{40, 40}, 20)
	if _, err := NewFolds(ds, r, 3); !errors.Is(err, ErrFolds) {
		t.Error("two groups a class make three folds")
	}
}

func TestFoldsDoNotDependOnTheOrderOfRows(t *testing.T) {
	ds, r := foldingSet([]int{30, 30}, 0)
	f, err := NewFolds(ds, r, 4)
	must(t, err)
	byHash := map[cache.Key]int{}
	for n, i := range r {
		byHash[ds.Items[i].Hash] = f.Of[n]
	}
	slices.Reverse(ds.Items)
	f, err = NewFolds(ds, r, 4)
	must(t, err)
	for n, i := range r {
		if byHash[ds.Items[i].Hash] != f.Of[n] {
			t.Fatalf("row %d is in another fold", n)
		}
	}
}

func TestSmallerFractionsLieWithinLargerOnes(t *testing.T) {
	ds, r := foldingSet([]int{100, 40, 3}, 0)
	for _, folds := range []int{0, 3} {
		f, err := NewFolds(ds, r, folds)
		must(t, err)
		fold := min(folds, 1) - 1
		var before []int32
		for _, fraction := range []float64{0.05, 0.1, 0.5, 0.9} {
			train := f.Share(fold, fraction).Train
			perClass := make([]int, 3)
			for _, n := range train {
				perClass[ds.Items[r[n]].Label]++
			}
			for _, n := range before {
				if !slices.Contains(train, n) {
					t.Errorf("%d folds: row %d of a smaller fraction is not in %v", folds, n, fraction)
				}
			}
			if folds == 0 && fmt.Sprint(perClass) != map[float64]string{0.05: "[5 2 1]", 0.1: "[10 4 1]", 0.5: "[50 20 2]", 0.9: "[90 36 3]"}[fraction] {
				t.Errorf("fraction %v: %v rows", fraction, perClass)
			}
			before = train
		}
	}
}
