package onnx

import (
	"errors"
	"fmt"
)

// ErrFormat is returned for a file that is no model that [Model.Write] would write.
var ErrFormat = errors.New("not an ONNX model that is understood")

// Model is a graph and what is said about it.
type Model struct {
	Producer, ProducerVersion string
	Version                   int64  // of the model
	Doc                       string // for people
	Opset                     int64  // version of ONNX's operators
	Graph                     Graph
	Meta                      []Entry // keys are unique
}

// Entry is a key and a value of a model's metadata.
type Entry struct{ Key, Value string }

// Graph is operators in the order in which they can be run.
type Graph struct {
	Name            string
	Nodes           []Node
	Constants       []*Tensor
	Inputs, Outputs []Value
}

// Node is one operator. An input "" is left out.
type Node struct {
	Name, Op        string
	Inputs, Outputs []string
	Attrs           []Attr
}

// Attr is an attribute of an operator. Its value is an int64, a float32, a string or an
// []int64.
type Attr struct {
	Name  string
	Value any
}

// Value is an input or an output of a graph.
type Value struct {
	Name       string
	Type       Type
	Dims       []Dim
	Denotation string // "" or what a tensor stands for, such as IMAGE
}

// Dim is a dimension: a size, or a name where any size will do.
type Dim struct {
	Size       int64
	Name       string
	Denotation string
}

// Type is the type of a tensor's values, by ONNX's number.
type Type int64

// The types that a [Tensor] has.
const (
	Float Type = 1
	Uint8 Type = 2
	Int64 Type = 7
)

// Tensor is an array, row-major: values of one of the three kinds.
type Tensor struct {
	Name   string
	Shape  []int
	Floats []float32
	Ints   []int64
	Bytes  []uint8
}

// Type tells the type by the values that are there; a tensor without any is of floats.
func (t *Tensor) Type() Type {
	switch {
	case t.Ints != nil:
		return Int64
	case t.Bytes != nil:
		return Uint8
	}
	return Float
}

// size is the number of values that a shape has room for.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// check reports whether the values fill the shape.
func (t *Tensor) check() error {
	if have := len(t.Floats) + len(t.Ints) + len(t.Bytes); have != size(t.Shape) {
		return fmt.Errorf("%w: tensor %q has %d values and the shape %v", ErrFormat, t.Name, have, t.Shape)
	}
	return nil
}
