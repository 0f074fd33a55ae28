package dataset

import (
	"errors"
	"fmt"
	"strings"

	"icebox/pipeline/fault"
)

// Options say where the images are and how they are split.
type Options struct {
	// Train is a folder of class folders, a folder that itself holds train, val
	// and test, a CSV manifest (path,label[,split,group]), or, for extraction
	// alone, a flat folder of images.
	Train string
	Val   string // folder or manifest; "" takes Split.Val from Train
	Test  string // folder or manifest; "" takes Split.Test from Train
	Name  string // of the dataset in the cache; "" derives it from Train
	Split Split
}

var (
	// ErrData is returned for a source that holds no usable data set: it is missing or
	// empty, a class has no image, a label has no training image.
	ErrData = errors.New("unusable data")
	// ErrNoSource is returned where Options.Train is empty.
	ErrNoSource = fmt.Errorf("%w: no images named", ErrData)
)

// MostSplit is what a fraction of a [Split], and both together, stay below: something is
// left to train on.
const MostSplit = 1.0

// Validate returns every fault of o.
func (o Options) Validate() error {
	var l fault.List
	fraction := func(f float64) bool { return f >= 0 && f < MostSplit }
	l.Check(fraction(o.Split.Val), "Split.Val", "(%v) must be at least 0 and less than %v", o.Split.Val, MostSplit)
	l.Check(fraction(o.Split.Test), "Split.Test", "(%v) must be at least 0 and less than %v", o.Split.Test, MostSplit)
	both := o.Split.Val + o.Split.Test
	l.Check(!fraction(o.Split.Val) || !fraction(o.Split.Test) || both < MostSplit, "Split", "has val + test (%v), which must be less than %v", both, MostSplit)
	l.Check(!strings.ContainsAny(o.Name, "/\x00"), "Name", "%q must not hold a slash", o.Name)
	return l.Err()
}
