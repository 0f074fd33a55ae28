package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"icebox/pipeline/fault"
)

// Options say where the images are and how they are split.
type Options struct {
	// Train is a folder of class folders, a folder that itself holds train, val
	// and test, a table (path,label[,split,group]), or, for extraction alone, a flat
	// folder of images. Or it is an archive, a .tar or a .parquet with images, a pattern of
	// such (train-{000..009}.tar), or a folder that holds them and no image.
	Train string
	// Also are more sources that are read as Train is; their classes of the same name are
	// one. Of these and Train, each may be [Stored] and the name of a dataset.
	Also    []string
	Val     string // as Train; "" takes Split.Val from Train
	Test    string // as Train; "" takes Split.Test from Train
	Name    string // of the dataset in the cache; "" derives it from Train
	Split   Split
	Reading Reading
	// Corrections is a file of corrections that are laid over the labels; "" is none.
	Corrections string
	// MaxClasses is how many classes a head may have; 0 is [DefaultMaxClasses].
	MaxClasses int
}

// Reading says how sources are read. The zero value finds everything out by itself.
type Reading struct {
	// Layout is what the folders in Train stand for; "" is LayoutAuto.
	Layout string `json:"layout,omitempty"`
	// Exclude are the folders and files below a source that are passed over: patterns as
	// in a .gitignore, the last one that fits counts.
	Exclude []string `json:"exclude,omitempty"`
	// Columns are the names of a table's columns, where the usual names do not do.
	Columns Columns `json:"columns,omitzero"`
	// Root is the folder that paths in a table start from; "" is the table's.
	Root string `json:"root,omitempty"`
	// Suffix is added to the paths in a table that do not end in it, such as ".jpg".
	Suffix string `json:"suffix,omitempty"`
}

// The layouts.
const (
	LayoutAuto    = "auto"    // names and what they hold tell; the scan stops where both are possible
	LayoutClasses = "classes" // every folder is a class, whatever it is called
	LayoutParts   = "parts"   // folders named after parts are parts; others are passed over
)

// Layouts are all layouts.
var Layouts = []string{LayoutAuto, LayoutClasses, LayoutParts}

// Columns name the columns of a table; "" is the usual name. Of a parquet file with images,
// Path is the column that holds them. Of a tar, the others are fields of the JSON beside an
// image, and Label may also be the ending of the member that says the class.
type Columns struct {
	Path  string `json:"path,omitempty"`
	Label string `json:"label,omitempty"`
	Split string `json:"split,omitempty"`
	Group string `json:"group,omitempty"`
}

var (
	// ErrData is returned for a source that holds no usable data set: it is missing or
	// empty, a class has no image, a label has no training image.
	ErrData = errors.New("unusable data")
	// ErrNoSource is returned where Options.Train is empty.
	ErrNoSource = fmt.Errorf("%w: no images named", ErrData)
	// ErrAmbiguous is returned for folders that can be read in two ways.
	ErrAmbiguous = fmt.Errorf("%w: two readings", ErrData)
	// ErrForeign is returned where there are only images in formats that icebox does not
	// read, such as HEIC and AVIF.
	ErrForeign = fmt.Errorf("%w: images in formats that icebox does not read", ErrData)
)

// Validate returns every fault of o.
func (o Options) Validate() error {
	var l fault.List
	fraction := Ranges()["Split.Val"]
	l.Check(fraction.Holds(o.Split.Val), "Split.Val", "(%v) must be %v", o.Split.Val, fraction)
	l.Check(fraction.Holds(o.Split.Test), "Split.Test", "(%v) must be %v", o.Split.Test, fraction)
	both := o.Split.Val + o.Split.Test
	l.Check(!fraction.Holds(o.Split.Val) || !fraction.Holds(o.Split.Test) || both < 1, "Split", "has val + test (%v), which must be less than 1", both)
	l.Check(!strings.ContainsAny(o.Name, "/\x00"), "Name", "%q must not hold a slash", o.Name)
	l.Under("Reading", o.Reading.validate())
	return l.Err()
}

func (r Reading) validate() error {
	var l fault.List
	l.Check(r.Layout == "" || slices.Contains(Layouts, r.Layout), "Layout", "%q is not known: choose %s", r.Layout, strings.Join(Layouts, ", "))
	for _, pattern := range r.Exclude {
		_, err := newGlob(pattern)
		l.Check(err == nil, "Exclude", "holds %q: %v", pattern, err)
	}
	l.Check(!strings.ContainsAny(r.Suffix, "/\\\x00"), "Suffix", "%q must not hold a slash", r.Suffix)
	l.Check(!strings.Contains(r.Root, "\x00"), "Root", "%q must not hold a zero byte", r.Root)
	return l.Err()
}

// kept is r as it is stored: what finds itself out is left empty.
func (r Reading) kept() Reading {
	if r.Layout == LayoutAuto {
		r.Layout = ""
	}
	return r
}

// Equal reports whether two readings find the same in the same sources.
func (r Reading) Equal(other Reading) bool {
	r, other = r.kept(), other.kept()
	return r.Layout == other.Layout && slices.Equal(r.Exclude, other.Exclude) && r.Columns == other.Columns && r.Root == other.Root && r.Suffix == other.Suffix
}

// IsZero reports whether r leaves everything to the scan.
func (r Reading) IsZero() bool {
	return r.Equal(Reading{})
}
