package headtrain

import (
	"errors"
	"strings"
	"testing"
)

// subset copies rows into a set of their own.
func subset(d *Dataset, rows []int32) *Dataset {
	s := &Dataset{Dim: d.Dim, Classes: d.Classes}
	for _, r := range rows {
		s.X = append(s.X, d.Row(int(r))...)
		s.Labels = append(s.Labels, d.Labels[r])
	}
	return s
}

func TestPartEqualsASetOfItsRows(t *testing.T) {
	all := clusters(300, 20, 4, 1)
	all.Labels[7] = -1
	var p Part
	for r := range int32(300) {
		if r%3 == 0 {
			p.Val = append(p.Val, r)
		} else {
			p.Train = append(p.Train, r)
		}
	}
	alone := Job{Train: subset(all, p.Train), Val: subset(all, p.Val)}
	for i, o := range variety {
		got := fitOne(t, Job{Train: all, Parts: []Part{p}}, brief(o))
		want := fitOne(t, alone, brief(o))
		if !sameHead(got.Head, want.Head) || got.TrainLoss != want.TrainLoss || *got.History[0].ValLoss != *want.History[0].ValLoss {
			t.Errorf("options %d: a part gives another head than a set of its rows", i)
		}
	}
}

func TestPartFaultsAreNamed(t *testing.T) {
	train := clusters(10, 4, 2, 1)
	train.Labels[3] = -1
	for want, parts := range map[string][]Part{
		"there are 2 parts for 1 heads":    {{}, {}},
		"part 0: train: row 10 at place 1": {{Train: []int32{0, 10}}},
		"part 0: val: row 1 at place 1":    {{Val: []int32{1, 1}}},
		"part 0: val: no row has a label":  {{Val: []int32{3}}},
		"train: no row has a label":        {{Train: []int32{}}},
		"part 0: train: row -1 at place 0": {{Train: []int32{-1}}},
	} {
		err := Job{Train: train, Heads: []Options{{}}, Parts: parts}.Validate()
		if !errors.Is(err, ErrDataset) || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}
