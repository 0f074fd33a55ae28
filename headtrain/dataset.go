package headtrain

import (
	"math"
	"slices"
	"unicode/utf8"

	"icebox/headtrain/internal/fault"
	"icebox/headtrain/internal/finite"
)

// Dataset is a matrix of features with a label for each row. Its slices are
// borrowed for the length of a call and only read.
type Dataset struct {
	X       []float32 // row-major, len(Labels) × Dim
	Dim     int
	Labels  []int32 // index into Classes, or -1 for a row without label
	Classes []string

	// Finite says that no value of X is infinite or no number: Validate does not
	// look again.
	Finite bool
	// Paged says that X is a mapping of a file that memory cannot hold: Fit tells
	// the system which rows it will want. That has no influence on the result.
	Paged bool
}

// Rows returns the number of rows, labelled or not.
func (d *Dataset) Rows() int { return len(d.Labels) }

// Row returns the features of row r.
func (d *Dataset) Row(r int) []float32 { return d.X[r*d.Dim : (r+1)*d.Dim] }

// Validate reports every kind of fault at once, each by its first place, as
// one error that wraps ErrDataset.
func (d *Dataset) Validate() error {
	f := d.checkAllButValues()
	if d.Finite {
		return f.Err(ErrDataset)
	}
	if i := finite.FirstNot(d.X); i >= 0 && d.Dim > 0 {
		f.Check(false, "row %d, feature %d is %v", i/d.Dim, i%d.Dim, d.X[i])
	}
	return f.Err(ErrDataset)
}

func (d *Dataset) checkAllButValues() (f fault.List) {
	f.Check(d.Dim > 0, "the dimension must be positive, not %d", d.Dim)
	f.Check(len(d.X) == len(d.Labels)*d.Dim, "%d feature values do not make %d rows of %d", len(d.X), len(d.Labels), d.Dim)
	f.Check(len(d.Labels) <= math.MaxInt32, "%d rows are more than %d", len(d.Labels), math.MaxInt32)
	d.checkClasses(&f)
	k := int32(len(d.Classes))
	if r := slices.IndexFunc(d.Labels, func(y int32) bool { return y < -1 || y >= k }); r >= 0 {
		f.Check(false, "row %d has label %d, but labels go from 0 to %d, or -1 for none", r, d.Labels[r], k-1)
	}
	return f
}

func (d *Dataset) checkClasses(f *fault.List) {
	f.Check(len(d.Classes) > 0, "there are no classes")
	seen := make(map[string]bool, len(d.Classes))
	for _, name := range d.Classes {
		f.Check(!seen[name], "class %q is there twice", name)
		f.Check(utf8.ValidString(name), "class name %q is not valid UTF-8", name)
		seen[name] = true
	}
}
