package onnx

import (
	"errors"
	"fmt"
)

// ErrRun is returned for a graph that cannot be run on what it is given.
var ErrRun = errors.New("the graph does not run")

// call is an operator and the values that it takes.
type call struct {
	*Node
	in []*Tensor // nil for an input that is left out
}

// operators are those that can be run. They may panic on values of shapes that the operator
// does not take.
var operators = map[string]func(call) (*Tensor, error){
	"Add": arithmetic, "Sub": arithmetic, "Mul": arithmetic, "Div": arithmetic, "Min": arithmetic, "Max": arithmetic,
	"Cast": cast, "Sqrt": perFloat, "Relu": perFloat,
	"Transpose": transpose, "Unsqueeze": unsqueeze, "Flatten": flatten, "Shape": shape,
	"Concat": concat, "Slice": slice, "Pad": pad, "Resize": resize,
	"Conv": conv, "MaxPool": maxPool, "GlobalAveragePool": averagePool,
	"Gemm": gemm, "Softmax": softmax, "ReduceSum": reduceSum, "ArgMax": argMax,
}

// Run computes the outputs of the graph from its inputs, both by name. It returns an
// [ErrRun] where an input is missing or an operator is unknown or has inputs that it cannot
// take. The values of constants may be part of what is returned.
func (m *Model) Run(inputs map[string]*Tensor) (outputs map[string]*Tensor, err error) {
	doing := "the inputs"
	defer func() {
		if r := recover(); r != nil { // values whose shapes do not fit: an index that is out of range
			outputs, err = nil, fmt.Errorf("%w: %s: %v", ErrRun, doing, r)
		}
	}()
	known := map[string]*Tensor{}
	for _, c := range m.Graph.Constants {
		known[c.Name] = c
	}
	for _, v := range m.Graph.Inputs {
		if known[v.Name] = inputs[v.Name]; known[v.Name] == nil {
			return nil, fmt.Errorf("%w: it needs the input %q", ErrRun, v.Name)
		}
	}
	for i := range m.Graph.Nodes {
		c := call{Node: &m.Graph.Nodes[i]}
		doing = fmt.Sprintf("operator %d, %s", i+1, c.Op)
		for _, name := range c.Inputs {
			if c.in = append(c.in, known[name]); name != "" && known[name] == nil {
				return nil, fmt.Errorf("%w: %s: nothing gives %q", ErrRun, doing, name)
			}
		}
		do := operators[c.Op]
		if do == nil || len(c.Outputs) != 1 {
			return nil, fmt.Errorf("%w: %s with %d outputs is not known here", ErrRun, doing, len(c.Outputs))
		}
		out, err := do(c)
		if err == nil {
			err = out.check()
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrRun, doing, err)
		}
		known[c.Outputs[0]] = out
	}
	outputs = map[string]*Tensor{}
	for _, v := range m.Graph.Outputs {
		if outputs[v.Name] = known[v.Name]; known[v.Name] == nil {
			return nil, fmt.Errorf("%w: nothing gives the output %q", ErrRun, v.Name)
		}
	}
	return outputs, nil
}

// whole is an attribute that is a whole number, or its default.
func (c call) whole(name string, otherwise int64) int64 {
	for _, a := range c.Attrs {
		if v, ok := a.Value.(int64); ok && a.Name == name {
			return v
		}
	}
	return otherwise
}

// wholes is an attribute that is whole numbers; nil where it is left out.
func (c call) wholes(name string) []int64 {
	for _, a := range c.Attrs {
		if v, ok := a.Value.([]int64); ok && a.Name == name {
			return v
		}
	}
	return nil
}

// text is an attribute that is a string; "" where it is left out.
func (c call) text(name string) string {
	for _, a := range c.Attrs {
		if v, ok := a.Value.(string); ok && a.Name == name {
			return v
		}
	}
	return ""
}

// ints are the whole numbers of input i; nil where it is left out.
func (c call) ints(i int) []int64 {
	if i >= len(c.in) || c.in[i] == nil {
		return nil
	}
	return c.in[i].Ints
}
