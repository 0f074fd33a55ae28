package onnx

import (
	"fmt"
	"slices"
)

// strides are the distances in memory between neighbours in each dimension.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// picked makes a tensor of a shape whose value at each index is that of t at a place: from,
// plus the index times step. Where inside is not nil, values out of it are zero.
func (t *Tensor) picked(shape []int, from int, step []int, inside func(index []int) bool) *Tensor {
	out := &Tensor{Shape: shape}
	n := size(shape)
	places := make([]int, n) // -1 is zero
	index := make([]int, len(shape))
	for i := range n {
		at := from
		for d, x := range index {
			at += x * step[d]
		}
		if places[i] = at; inside != nil && !inside(index) {
			places[i] = -1
		}
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	switch t.Type() {
	case Float:
		out.Floats = gather(t.Floats, places)
	case Int64:
		out.Ints = gather(t.Ints, places)
	case Uint8:
		out.Bytes = gather(t.Bytes, places)
	}
	return out
}

func gather[T any](values []T, places []int) []T {
	out := make([]T, len(places))
	for i, at := range places {
		if at >= 0 {
			out[i] = values[at]
		}
	}
	return out
}

// reshaped is t with another shape of as many values.
func (t *Tensor) reshaped(shape []int) *Tensor {
	return &Tensor{Shape: shape, Floats: t.Floats, Ints: t.Ints, Bytes: t.Bytes}
}

func transpose(c call) (*Tensor, error) {
	t := c.in[0]
	old := strides(t.Shape)
	var shape, step []int
	for _, d := range c.wholes("perm") {
		shape, step = append(shape, t.Shape[d]), append(step, old[d])
	}
	return t.picked(shape, 0, step, nil), nil
}

func unsqueeze(c call) (*Tensor, error) {
	shape := slices.Clone(c.in[0].Shape)
	for _, at := range c.ints(1) {
		shape = slices.Insert(shape, int(at), 1)
	}
	return c.in[0].reshaped(shape), nil
}

func flatten(c call) (*Tensor, error) {
	s, axis := c.in[0].Shape, c.whole("axis", 1)
	return c.in[0].reshaped([]int{size(s[:axis]), size(s[axis:])}), nil
}

func shape(c call) (*Tensor, error) {
	out := &Tensor{Shape: []int{len(c.in[0].Shape)}, Ints: []int64{}}
	for _, d := range c.in[0].Shape {
		out.Ints = append(out.Ints, int64(d))
	}
	return out, nil
}

// concat puts lists of whole numbers behind each other.
func concat(c call) (*Tensor, error) {
	out := &Tensor{Ints: []int64{}}
	for _, t := range c.in {
		if len(t.Shape) != 1 || t.Type() != Int64 {
			return nil, fmt.Errorf("it takes lists of whole numbers here, not %v", t.Shape)
		}
		out.Ints = append(out.Ints, t.Ints...)
	}
	out.Shape = []int{len(out.Ints)}
	return out, nil
}

// slice takes parts of dimensions, with a step of 1.
func slice(c call) (*Tensor, error) {
	t, starts, ends, axes := c.in[0], c.ints(1), c.ints(2), c.ints(3)
	outShape, from, step := slices.Clone(t.Shape), 0, strides(t.Shape)
	for i, d := range axes {
		if starts[i] < 0 || ends[i] > int64(t.Shape[d]) || starts[i] > ends[i] {
			return nil, fmt.Errorf("from %d to %d of %d", starts[i], ends[i], t.Shape[d])
		}
		outShape[d] = int(ends[i] - starts[i])
		from += int(starts[i]) * step[d]
	}
	return t.picked(outShape, from, step, nil), nil
}

// pad puts zeros around t.
func pad(c call) (*Tensor, error) {
	t, pads := c.in[0], c.ints(1)
	n := len(t.Shape)
	outShape, from, step := slices.Clone(t.Shape), 0, strides(t.Shape)
	for d := range outShape {
		if pads[d] < 0 || pads[n+d] < 0 {
			return nil, fmt.Errorf("padding of %v", pads)
		}
		outShape[d] += int(pads[d] + pads[n+d])
		from -= int(pads[d]) * step[d]
	}
	return t.picked(outShape, from, step, func(index []int) bool {
		for d, x := range index {
			if x < int(pads[d]) || x >= int(pads[d])+t.Shape[d] {
				return false
			}
		}
		return true
	}), nil
}
