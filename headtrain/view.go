package headtrain

import (
	"sync"

	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/team"
)

// view is the rows of a job's datasets that a head sees, and how it sees them.
type view struct {
	train, val *labelled.Set // val is nil for none
	input      affine.Map
	once       sync.Once
	mapped     mapped
}

// mapped is the rows of the sets of a view, mapped, see mapRows. What is nil is mapped
// whenever it is read.
type mapped struct{ train, val []float32 }

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

// mapOnce maps all rows, for heads that L-BFGS trains on them side by side, once. Where
// such a head maps rows by itself, as for all inputs but "standardise", it does nothing.
func (v *view) mapOnce(isa kernel.ISA, kind string) {
	if kind != InputStandardise {
		return
	}
	v.once.Do(func() {
		one := team.New(1)
		defer one.Close()
		v.mapped = mapped{mapRows(isa, v.train, v.input, one), mapRows(isa, v.val, v.input, one)}
	})
}

// lbfgsRoom is how many bytes heads that are trained side by side may take together.
const lbfgsRoom = 1 << 29

// lbfgsBytes is about what L-BFGS takes for a head: the last steps and, unless heads share
// their mapped rows, up to two copies of the rows.
func (v *view) lbfgsBytes(kind string) int {
	stride := kernel.Stride(v.train.Dim)
	n := 8 * (2*lbfgsMemory + 6) * len(v.train.Classes) * stride
	if kind != InputStandardise {
		n += 2 * 4 * len(v.train.Rows) * stride
	}
	return n
}
