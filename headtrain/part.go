package headtrain

import (
	"fmt"
	"slices"
	"unsafe"

	"icebox/headtrain/internal/fault"
)

// Part restricts a head to some rows of its job's datasets, such as a fold or a
// share of the training rows. Rows without a label do not count.
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

// partKey tells parts apart by where their slices lie in memory, not by their values.
type partKey struct {
	train, val   *int32
	nTrain, nVal int
}

func (p Part) key() partKey {
	return partKey{unsafe.SliceData(p.Train), unsafe.SliceData(p.Val), len(p.Train), len(p.Val)}
}

// checkParts checks each distinct part once.
func (j Job) checkParts() error {
	var f fault.List
	if j.Parts == nil {
		return nil
	}
	f.Check(len(j.Parts) == len(j.Heads), "there are %d parts for %d heads", len(j.Parts), len(j.Heads))
	seen := map[partKey]bool{}
	for i, p := range j.Parts {
		if seen[p.key()] {
			continue
		}
		seen[p.key()] = true
		j.checkRows(&f, fmt.Sprintf("part %d: train", i), p.Train)
		j.checkRows(&f, fmt.Sprintf("part %d: val", i), p.Val)
	}
	return f.Err(ErrDataset)
}

func (j Job) checkRows(f *fault.List, what string, rows []int32) {
	if rows == nil {
		return
	}
	n := int32(len(j.Train.Labels))
	for i, r := range rows {
		if r < 0 || r >= n || i > 0 && r <= rows[i-1] {
			f.Check(false, "%s: row %d at place %d is out of range or out of order", what, r, i)
			return
		}
	}
	labelled := slices.ContainsFunc(rows, func(r int32) bool { return j.Train.Labels[r] >= 0 })
	f.Check(labelled, "%s: no row has a label", what)
}
