package headtrain

import (
	"fmt"
	"slices"
	"unsafe"
)

// Part restricts a head to some rows of its job's sets: a fold, or a share of
// the training rows. Rows without a label are passed over.
type Part struct {
	Train []int32 // rows of Job.Train to learn from, ascending; nil for all
	Val   []int32 // rows of Job.Train to validate on, ascending; nil for Job.Val
}

// part returns the part of a head.
func (j Job) part(head int) Part {
	if j.Parts == nil {
		return Part{}
	}
	return j.Parts[head]
}

// view is what a head sees of its job's sets, and how it sees them.
type view struct {
	train, val *rowSet // val is nil for none
	input      input
}

func (j Job) view(p Part, kind string, t *team) *view {
	v := &view{train: newRowSet(j.Train, kind, p.Train)}
	switch {
	case p.Val != nil:
		v.val = newRowSet(j.Train, kind, p.Val)
	case j.Val != nil:
		v.val = newRowSet(j.Val, kind, nil)
	}
	v.input = newInput(kind, v.train, t)
	return v
}

// partKey tells parts apart by where their rows lie, not by what they are.
type partKey struct {
	train, val   *int32
	nTrain, nVal int
}

func (p Part) key() partKey {
	return partKey{unsafe.SliceData(p.Train), unsafe.SliceData(p.Val), len(p.Train), len(p.Val)}
}

// checkParts checks each distinct part once.
func (j Job) checkParts() error {
	var f faults
	if j.Parts == nil {
		return nil
	}
	f.check(len(j.Parts) == len(j.Heads), "there are %d parts for %d heads", len(j.Parts), len(j.Heads))
	seen := map[partKey]bool{}
	for i, p := range j.Parts {
		if seen[p.key()] {
			continue
		}
		seen[p.key()] = true
		j.checkRows(&f, fmt.Sprintf("part %d: train", i), p.Train)
		j.checkRows(&f, fmt.Sprintf("part %d: val", i), p.Val)
	}
	return f.err(ErrDataset)
}

func (j Job) checkRows(f *faults, what string, rows []int32) {
	if rows == nil {
		return
	}
	n := int32(len(j.Train.Labels))
	for i, r := range rows {
		if r < 0 || r >= n || i > 0 && r <= rows[i-1] {
			f.check(false, "%s: row %d at place %d is out of range or out of order", what, r, i)
			return
		}
	}
	labelled := slices.ContainsFunc(rows, func(r int32) bool { return j.Train.Labels[r] >= 0 })
	f.check(labelled, "%s: no row has a label", what)
}
