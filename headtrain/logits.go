package headtrain

import (
	"context"
	"runtime"
	"slices"

	"icebox/headtrain/internal/fault"
	"icebox/headtrain/internal/parallel"
)

// Logits are what heads say of rows: a value for each row and class. They are computed
// anew in every pass, a block of rows at a time, so that memory does not grow with rows ×
// classes; up to 64 MiB of them are kept, since a second pass then takes less time.
// They may be used by one goroutine at a time.
type Logits struct {
	// Scale multiplies every logit, in float32; 0 stands for 1. It is set before the first
	// pass.
	Scale float32

	rows, classes int
	data          *Dataset
	heads         []packed
	of            []int     // which head a row is judged by, by row; nil: the first one
	kept          []float32 // rows × classes; nil if they are computed anew
}

// keptBytes is how many bytes of logits are kept.
var keptBytes = 64 << 20

// NewLogits are the logits that h gives the rows of d, whose labels do not matter. Both are
// read in every pass and must not change.
func NewLogits(h *Head, d *Dataset) *Logits { return FoldedLogits([]*Head{h}, nil, d) }

// FoldedLogits are the logits of the rows of d, each by one of several heads of the same
// classes: that of row r is heads[of[r]]. Where of[r] is no place in heads, they are 0. If
// of is nil, heads[0] gives them all.
func FoldedLogits(heads []*Head, of []int, d *Dataset) *Logits {
	l := &Logits{rows: d.Rows(), classes: len(d.Classes), data: d, of: of}
	for _, h := range heads {
		l.heads, l.classes = append(l.heads, h.pack()), len(h.Classes)
	}
	return l
}

// GivenLogits are logits that are there already: row by row, a value for each class.
func GivenLogits(values []float32, classes int) *Logits {
	l := &Logits{classes: classes, kept: values}
	if classes > 0 {
		l.rows = len(values) / classes
	}
	return l
}

// Rows is the number of rows.
func (l *Logits) Rows() int { return l.rows }

// Classes is the number of classes.
func (l *Logits) Classes() int { return l.classes }

// block is how many rows are computed at a time: as many as make 4 MiB of logits, within
// bounds.
func (l *Logits) block() int { return min(max(128, 1<<20/max(1, l.classes)), 1024) }

// keep computes all logits, if they are few enough to be kept.
func (l *Logits) keep(ctx context.Context) error {
	if l.kept != nil || 4*l.rows*l.classes > keptBytes {
		return nil
	}
	kept := make([]float32, l.rows*l.classes)
	err := parallel.Shares(ctx, l.rows, l.block(), func(_ context.Context, lo, hi int) error {
		l.compute(kept[lo*l.classes:hi*l.classes], lo, hi)
		return nil
	})
	if err == nil {
		l.kept = kept
	}
	return err
}

// compute writes the logits of the rows from lo up to hi to dst.
func (l *Logits) compute(dst []float32, lo, hi int) {
	d := l.data.Dim
	if l.of == nil {
		l.heads[0].logits(dst, l.data.X[lo*d:hi*d], hi-lo)
	} else {
		clear(dst)
		for i := range l.heads {
			l.computeOf(i, dst, lo, hi)
		}
	}
	if l.Scale != 0 {
		for i := range dst {
			dst[i] *= l.Scale
		}
	}
}

// computeOf is compute for the rows that one head judges.
func (l *Logits) computeOf(head int, dst []float32, lo, hi int) {
	var rows []int
	var x []float32
	for r := lo; r < hi; r++ {
		if l.of[r] == head {
			rows, x = append(rows, r), append(x, l.data.Row(r)...)
		}
	}
	if len(rows) == 0 {
		return
	}
	k := l.classes
	z := make([]float32, len(rows)*k)
	l.heads[head].logits(z, x, len(rows))
	for i, r := range rows {
		copy(dst[(r-lo)*k:(r-lo+1)*k], z[i*k:])
	}
}

// EachRow calls f with every row and its logits, and returns what f gave, row by row. It is
// called for several rows at once, in no order, and must neither change nor keep the
// logits. The error is that of ctx.
func EachRow[T any](ctx context.Context, l *Logits, f func(r int, z []float32) T) ([]T, error) {
	if err := l.keep(ctx); err != nil {
		return nil, err
	}
	out := make([]T, l.rows)
	rooms := make(chan []float32, runtime.GOMAXPROCS(0)) // of blocks that are done
	err := parallel.Shares(ctx, l.rows, l.block(), func(_ context.Context, lo, hi int) error {
		var room []float32
		select {
		case room = <-rooms:
		default:
		}
		z := l.between(lo, hi, &room)
		defer func() { rooms <- room }()
		for r := lo; r < hi; r++ {
			out[r] = f(r, z[(r-lo)*l.classes:(r-lo+1)*l.classes])
		}
		return nil
	})
	return out, err
}

// between returns the logits of the rows from lo up to hi. They lie in room, which is made
// where it is too small, unless they are kept.
func (l *Logits) between(lo, hi int, room *[]float32) []float32 {
	if l.kept != nil {
		return l.kept[lo*l.classes : hi*l.classes]
	}
	n := (hi - lo) * l.classes
	if cap(*room) < n {
		*room = make([]float32, l.block()*l.classes)
	}
	z := (*room)[:n]
	l.compute(z, lo, hi)
	return z
}

// Reader returns a function that gives the logits of a row, until its next call. It
// computes a block of rows at a time, so the rows are best asked for in ascending order.
func (l *Logits) Reader() func(r int) []float32 {
	lo, hi := 0, 0
	var z, room []float32
	k := l.classes
	return func(r int) []float32 {
		if r < lo || r >= hi {
			lo, hi = r, min(r+l.block(), l.rows)
			z = l.between(lo, hi, &room)
		}
		return z[(r-lo)*k : (r-lo+1)*k]
	}
}

// CheckLabels returns an error that wraps ErrDataset unless labels has a class of l, or -1
// for none, for each row.
func (l *Logits) CheckLabels(labels []int32) error {
	var f fault.List
	k, values := l.classes, l.rows*l.classes
	if l.kept != nil {
		values = len(l.kept)
	}
	f.Check(k > 0, "there are no classes")
	f.Check(values == len(labels)*k, "%d logits do not make %d rows of %d classes", values, len(labels), k)
	if i := slices.IndexFunc(labels, func(y int32) bool { return y < -1 || int(y) >= k }); i >= 0 {
		f.Check(false, "row %d has label %d, but labels go from 0 to %d, or -1 for none", i, labels[i], k-1)
	}
	return f.Err(ErrDataset)
}
