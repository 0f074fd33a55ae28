package headtrain

import (
	"math"
	"slices"
	"unicode/utf8"
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
		return f.err(ErrDataset)
	}
	if i := firstNotFinite(d.X); i >= 0 && d.Dim > 0 {
		f.check(false, "row %d, feature %d is %v", i/d.Dim, i%d.Dim, d.X[i])
	}
	return f.err(ErrDataset)
}

// checkShape is Validate but for the values.
func (d *Dataset) checkShape() error {
	f := d.checkAllButValues()
	return f.err(ErrDataset)
}

func (d *Dataset) checkAllButValues() (f faults) {
	f.check(d.Dim > 0, "the dimension must be positive, not %d", d.Dim)
	f.check(len(d.X) == len(d.Labels)*d.Dim, "%d feature values do not make %d rows of %d", len(d.X), len(d.Labels), d.Dim)
	f.check(len(d.Labels) <= math.MaxInt32, "%d rows are more than %d", len(d.Labels), math.MaxInt32)
	d.checkClasses(&f)
	k := int32(len(d.Classes))
	if r := slices.IndexFunc(d.Labels, func(y int32) bool { return y < -1 || y >= k }); r >= 0 {
		f.check(false, "row %d has label %d, but labels go from 0 to %d, or -1 for none", r, d.Labels[r], k-1)
	}
	return f
}

func (d *Dataset) checkClasses(f *faults) {
	f.check(len(d.Classes) > 0, "there are no classes")
	seen := make(map[string]bool, len(d.Classes))
	for _, name := range d.Classes {
		f.check(!seen[name], "class %q is there twice", name)
		f.check(utf8.ValidString(name), "class name %q is not valid UTF-8", name)
		seen[name] = true
	}
}

// firstNotFinite returns the place of the first value that is no number, -1 if
// there is none. Eight values are looked at together, since all of a dataset is.
func firstNotFinite(x []float32) int {
	at := 0
	for rest := x; len(rest) >= 8; rest = rest[8:] {
		v := rest[:8:8]
		a, b := max(exponent(v[0]), exponent(v[1])), max(exponent(v[2]), exponent(v[3]))
		c, d := max(exponent(v[4]), exponent(v[5])), max(exponent(v[6]), exponent(v[7]))
		if max(a, b, c, d) == infExponent {
			break
		}
		at += 8
	}
	if i := slices.IndexFunc(x[at:], notFinite); i >= 0 {
		return at + i
	}
	return -1
}

const infExponent = 0x7f800000

func exponent(v float32) uint32 { return math.Float32bits(v) & infExponent }

func notFinite(v float32) bool { return exponent(v) == infExponent }

// rowSet is a dataset as an engine walks it: the labelled rows, and the factor
// that each row takes.
type rowSet struct {
	*Dataset
	rows  []int32   // the labelled rows, in order
	scale []float32 // by row; nil for 1
}

// newRowSet returns the labelled rows of d, or those among the given ones.
func newRowSet(d *Dataset, input string, among []int32) *rowSet {
	s := &rowSet{Dataset: d}
	if among == nil {
		s.rows = make([]int32, 0, len(d.Labels))
		for r, y := range d.Labels {
			if y >= 0 {
				s.rows = append(s.rows, int32(r))
			}
		}
	} else {
		s.rows = make([]int32, 0, len(among))
		for _, r := range among {
			if d.Labels[r] >= 0 {
				s.rows = append(s.rows, r)
			}
		}
	}
	if input == InputL2 {
		s.scale = make([]float32, len(d.Labels))
		for r := range s.scale {
			s.scale[r] = unitScale(d.Row(r))
		}
	}
	return s
}

// unscaled returns the labelled rows, their factors multiplied in: s itself if it
// has none, or is nil.
func (s *rowSet) unscaled() *rowSet {
	if s == nil || s.scale == nil {
		return s
	}
	n := len(s.rows)
	d := &Dataset{X: NewFeatures(n * s.Dim), Dim: s.Dim, Labels: make([]int32, n), Classes: s.Classes}
	for i, r := range s.rows {
		d.Labels[i] = s.Labels[r]
		row := d.Row(i)
		for j, v := range s.Row(int(r)) {
			row[j] = v * s.scale[r]
		}
	}
	return newRowSet(d, InputNone, nil)
}

func (s *rowSet) rowScale(r int32) float32 {
	if s.scale == nil {
		return 1
	}
	return s.scale[r]
}

// counts returns the labelled rows of each class.
func (s *rowSet) counts() []int {
	n := make([]int, len(s.Classes))
	for _, r := range s.rows {
		n[s.Labels[r]]++
	}
	return n
}

// unitScale returns the factor that gives x length 1; the length counts as at
// least 1e-12, as in PyTorch's normalize.
func unitScale(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return float32(1 / max(math.Sqrt(sum), 1e-12))
}
