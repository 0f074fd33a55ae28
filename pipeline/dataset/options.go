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

// Validate returns every fault of o.
func (o Options) Validate() error {
	var l fault.List
	fraction := Ranges()["Split.Val"]
	l.Check(fraction.Holds(o.Split.Val), "Split.Val", "(%v) must be %v", o.Split.Val, fraction)
	l.Check(fraction.Holds(o.Split.Test), "Split.Test", "(%v) must be %v", o.Split.Test, fraction)
	both := o.Split.Val + o.Split.Test
	l.Check(!fraction.Holds(o.Split.Val) || !fraction.Holds(o.Split.Test) || both < 1, "Split", "has val + test (%v), which must be less than 1", both)
	l.Check(!strings.ContainsAny(o.Name, "/\x00"), "Name", "%q must not hold a slash", o.Name)
	return l.Err()
}
