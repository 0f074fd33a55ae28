package headtrain

import (
	"math"
	"slices"
	"unicode/utf8"

	"icebox/headtrain/internal/fault"
	"icebox/headtrain/internal/finite"
)

// Dataset is a matrix of features with a label for each row. Functions that take
// one only read its slices, and keep none of them.
type Dataset struct {
	X       []float32 // row-major, len(Labels) × Dim
	Dim     int
	Labels  []int32 // index into Classes, or -1 for a row without label
	Classes []string

	// Finite says that the caller knows every value of X to be finite, so that
	// Validate need not look at them.
	Finite bool
	// Paged says that X is a mapping of a file that memory cannot hold. Fit then
	// tells the system which rows it will want, which has no influence on the
	// result.
	Paged bool
}

// Rows returns the number of rows, labelled or not.
func (d *Dataset) Rows() int { return len(d.Labels) }

// Row returns the features of row r.
func (d *Dataset) Row(r int) []float32 { return d.X[r*d.Dim : (r+1)*d.Dim] }

// Validate reports every kind of fault at once, each by the first place where it
// occurs, as one error that wraps ErrDataset.
func (d *Dataset) Validate() error {
	var f fault.List
	f.Check(d.Dim > 0, "the dimension must be positive, not %d", d.Dim)
	f.Check(len(d.X) == len(d.Labels)*d.Dim, "%d feature values do not make %d rows of %d", len(d.X), len(d.Labels), d.Dim)
	f.Check(len(d.Labels) <= math.MaxInt32, "%d rows are more than %d", len(d.Labels), math.MaxInt32)
	checkClasses(&f, d.Classes)
	k := int32(len(d.Classes))
	if r := slices.IndexFunc(d.Labels, func(y int32) bool { return y < -1 || y >= k }); r >= 0 {
		f.Check(false, "row %d has label %d, but labels go from 0 to %d, or -1 for none", r, d.Labels[r], k-1)
	}
	if !d.Finite && d.Dim > 0 {
		if i := finite.FirstNot(d.X); i >= 0 {
			f.Check(false, "row %d, feature %d is %v", i/d.Dim, i%d.Dim, d.X[i])
		}
	}
	return f.Err(ErrDataset)
}

func checkClasses(f *fault.List, classes []string) {
	f.Check(len(classes) > 0, "there are no classes")
	seen := make(map[string]bool, len(classes))
	for _, name := range classes {
		f.Check(!seen[name], "class %q is there twice", name)
		f.Check(utf8.ValidString(name), "class name %q is not valid UTF-8", name)
		seen[name] = true
	}
}
