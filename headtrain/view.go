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
	shared     shared
}

// shared is what heads that L-BFGS trains on a view have in common, made once for those
// that are trained side by side.
type shared struct {
	mapped     mapped        // of the input "standardise"
	train, val *labelled.Set // of other inputs: the rows with their factors multiplied in
	mean, std  []float64     // of train
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

// share makes what heads of L-BFGS have in common, once.
func (v *view) share(isa kernel.ISA, kind string) {
	v.once.Do(func() {
		one := team.New(1)
		defer one.Close()
		if kind == InputStandardise {
			v.shared.mapped = mapped{mapRows(isa, v.train, v.input, one, 1), mapRows(isa, v.val, v.input, one, 1)}
			return
		}
		v.shared = unscaledAndMoments(v.train, v.val, one)
	})
}

// unscaledAndMoments returns the sets with their factors multiplied in, and the moments of
// the training rows.
func unscaledAndMoments(train, val *labelled.Set, t *team.Team) shared {
	c := shared{train: unscaled(train), val: unscaled(val)}
	c.mean, c.std = affine.Moments(c.train, t)
	return c
}

// lbfgsRoom is how many bytes heads that are trained side by side may take together.
const lbfgsRoom = 1 << 29

// lbfgsBytes is about what L-BFGS takes for a head on some rows: the last steps, the
// preconditioner and, unless heads share them, the mapped rows.
func lbfgsBytes(rows, dim, classes int, shared bool) int {
	stride := kernel.Stride(dim)
	n := 8*(2*lbfgsMemory+6)*classes*stride + 24*mostRank*stride
	if !shared {
		n += 4 * min(mostMapped, rows*stride)
	}
	return n
}
