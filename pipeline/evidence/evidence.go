// Package evidence shows where in an image a linear head has its reasons.
//
// A feature is the mean of a grid of 7 × 7 cells (see extract.Extractor.Grid), and a logit
// is linear in the feature. So what a head says of an image is the mean of what it says of
// the cells, and the map of these is exact: it is no estimate and needs no gradient. It is
// the class activation map of Zhou et al., "Learning Deep Features for Discriminative
// Localization" (2016), for one class against another.
//
// A cell stands for 32 × 32 pixels of the crop, but the backbone has looked at pixels
// around them, too: a map says where, and not to the pixel.
package evidence

import (
	"errors"
	"fmt"
	"math"

	"icebox/extract"
	"icebox/headtrain"
)

// ErrNone is returned for a head that no map can be drawn of.
var ErrNone = errors.New("no map of evidence")

const side, cells, dim = extract.GridSide, extract.GridSide * extract.GridSide, extract.Dim

// Map is where in one image a head finds what speaks for one class and against another.
type Map struct {
	For, Against int // the classes, as places in Head.Classes
	// Cells are the logit of For less that of Against, cell by cell, in rows from the top
	// left. Their mean is the difference of the two logits of the image, before any
	// temperature; it is above 0 where the head holds For to be the likelier one.
	Cells [cells]float64
}

// Check returns an [ErrNone] where maps of h cannot be drawn: a hidden layer bends what the
// cells say, and one class has no other to be against.
func Check(h *headtrain.Head) error {
	switch {
	case h.Hidden != nil:
		return fmt.Errorf("%w: the head has a hidden layer, so that its answer is no mean over the image", ErrNone)
	case h.Dim != dim:
		return fmt.Errorf("%w: the head takes %d features, which are not those of an image", ErrNone, h.Dim)
	case len(h.Classes) < 2:
		return fmt.Errorf("%w: the head knows one class only", ErrNone)
	}
	return nil
}

// Find computes the map of two classes of h, which [Check] has passed, from the grid of an
// image (extract.GridLen values).
func Find(h *headtrain.Head, grid []float32, of, against int) *Map {
	m := &Map{For: of, Against: against}
	plus, minus := h.W[of*dim:(of+1)*dim], h.W[against*dim:(against+1)*dim]
	scale := 1.0
	if h.Input == headtrain.InputL2 {
		scale = unitScale(grid)
	}
	bias := float64(h.B[of]) - float64(h.B[against])
	for c := range m.Cells {
		sum := 0.0
		for j, v := range grid[c*dim : (c+1)*dim] {
			sum += (float64(plus[j]) - float64(minus[j])) * float64(v)
		}
		m.Cells[c] = sum*scale + bias
	}
	return m
}

// unitScale is what a feature, the mean of a grid, is multiplied by to have the length 1. It
// is a factor like any other to the cells, which keep to their mean.
func unitScale(grid []float32) float64 {
	squares := 0.0
	for j := range dim {
		mean := 0.0
		for c := range cells {
			mean += float64(grid[c*dim+j])
		}
		mean /= cells
		squares += mean * mean
	}
	if squares == 0 {
		return 1
	}
	return 1 / math.Sqrt(squares)
}

// Mean is the difference of the logits of the image.
func (m *Map) Mean() float64 {
	sum := 0.0
	for _, v := range m.Cells {
		sum += v
	}
	return sum / cells
}
