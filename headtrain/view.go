package headtrain

import (
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/team"
)

// view is the rows of a job's datasets that a head sees, and how it sees them.
type view struct {
	train, val *labelled.Set // val is nil for none
	input      affine.Map
}

func (j Job) view(p Part, kind string, t *team.Team) *view {
	v := &view{train: setOf(j.Train, kind, p.Train)}
	switch {
	case p.Val != nil:
		v.val = setOf(j.Train, kind, p.Val)
	case j.Val != nil:
		v.val = setOf(j.Val, kind, nil)
	}
	v.input = affine.Identity(j.Train.Dim)
	if kind == InputStandardise {
		v.input = affine.Standardise(v.train, t)
	}
	return v
}

// viewOn is view on a team of its own.
func (j Job) viewOn(threads int, p Part, kind string) *view {
	t := team.New(threads)
	defer t.Close()
	return j.view(p, kind, t)
}

// setOf returns the labelled rows of d, or those among the given ones unless
// that is nil, with the factors that an input gives them.
func setOf(d *Dataset, input string, among []int32) *labelled.Set {
	m := (*labelled.Matrix)(d)
	s := labelled.Of(m)
	if among != nil {
		s = labelled.Among(m, among)
	}
	if input == InputL2 {
		s.ToUnitLength()
	}
	return s
}
