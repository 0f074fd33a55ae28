package onnx

import (
	"fmt"
	"math"
	"slices"
)

// arithmetic is an operator of two tensors of one type, of which either may be spread out
// along the dimensions that it has not.
func arithmetic(c call) (*Tensor, error) {
	a, b := c.in[0], c.in[1]
	if a.Type() != b.Type() || a.Type() == Uint8 {
		return nil, fmt.Errorf("on types %d and %d", a.Type(), b.Type())
	}
	out, err := spread(a.Shape, b.Shape)
	if err != nil {
		return nil, err
	}
	a, b = a.spreadTo(out), b.spreadTo(out)
	if a.Type() == Int64 {
		t := &Tensor{Shape: out, Ints: make([]int64, len(a.Ints))}
		for i := range t.Ints {
			t.Ints[i] = apply(c.Op, a.Ints[i], b.Ints[i])
		}
		return t, nil
	}
	t := &Tensor{Shape: out, Floats: make([]float32, len(a.Floats))}
	for i := range t.Floats {
		t.Floats[i] = apply(c.Op, a.Floats[i], b.Floats[i])
	}
	return t, nil
}

func apply[T int64 | float32](op string, a, b T) T {
	switch op {
	case "Add":
		return a + b
	case "Sub":
		return a - b
	case "Mul":
		return a * b
	case "Div":
		return a / b
	case "Min":
		return min(a, b)
	}
	return max(a, b)
}

// spread is the shape that two shapes have in common, where a dimension of 1 takes any size.
func spread(a, b []int) ([]int, error) {
	n := max(len(a), len(b))
	out := make([]int, n)
	of := func(s []int, d int) int {
		if d += len(s) - n; d >= 0 {
			return s[d]
		}
		return 1
	}
	for d := range out {
		x, y := of(a, d), of(b, d)
		if out[d] = max(x, y); x != y && min(x, y) != 1 {
			return nil, fmt.Errorf("shapes %v and %v do not go together", a, b)
		}
	}
	return out, nil
}

func (t *Tensor) spreadTo(out []int) *Tensor {
	if slices.Equal(t.Shape, out) {
		return t
	}
	step := make([]int, len(out))
	own := strides(t.Shape)
	for d := range t.Shape {
		if t.Shape[d] > 1 {
			step[d+len(out)-len(t.Shape)] = own[d]
		}
	}
	return t.picked(out, 0, step, nil)
}

// cast makes floats of bytes.
func cast(c call) (*Tensor, error) {
	if c.in[0].Type() != Uint8 || Type(c.whole("to", 0)) != Float {
		return nil, fmt.Errorf("from type %d to %d", c.in[0].Type(), c.whole("to", 0))
	}
	out := &Tensor{Shape: c.in[0].Shape, Floats: make([]float32, len(c.in[0].Bytes))}
	for i, v := range c.in[0].Bytes {
		out.Floats[i] = float32(v)
	}
	return out, nil
}

// perFloat is an operator on each value.
func perFloat(c call) (*Tensor, error) {
	out := &Tensor{Shape: c.in[0].Shape, Floats: make([]float32, len(c.in[0].Floats))}
	for i, v := range c.in[0].Floats {
		if c.Op == "Sqrt" {
			out.Floats[i] = float32(math.Sqrt(float64(v)))
		} else {
			out.Floats[i] = max(v, 0)
		}
	}
	return out, nil
}

// rows hands each row of a tensor of two dimensions to do.
func (t *Tensor) rows(do func(r int, row []float32)) error {
	if len(t.Shape) != 2 {
		return fmt.Errorf("it takes two dimensions here, not %v", t.Shape)
	}
	for r := range t.Shape[0] {
		do(r, t.Floats[r*t.Shape[1]:(r+1)*t.Shape[1]])
	}
	return nil
}

// softmax is that of rows.
func softmax(c call) (*Tensor, error) {
	out := &Tensor{Shape: c.in[0].Shape, Floats: slices.Clone(c.in[0].Floats)}
	return out, out.rows(func(_ int, row []float32) {
		most, total := slices.Max(row), 0.0
		for _, v := range row {
			total += math.Exp(float64(v) - float64(most))
		}
		for i, v := range row {
			row[i] = float32(math.Exp(float64(v)-float64(most)) / total)
		}
	})
}

// argMax is the place of the largest value of each row, the first of equals.
func argMax(c call) (*Tensor, error) {
	if c.whole("axis", 0) != 1 || c.whole("keepdims", 1) != 0 {
		return nil, fmt.Errorf("along other than the rows")
	}
	out := &Tensor{Shape: c.in[0].Shape[:1], Ints: make([]int64, c.in[0].Shape[0])}
	return out, c.in[0].rows(func(r int, row []float32) {
		out.Ints[r] = int64(slices.Index(row, slices.Max(row)))
	})
}

// reduceSum is the sum of each row.
func reduceSum(c call) (*Tensor, error) {
	if !slices.Equal(c.ints(1), []int64{1}) {
		return nil, fmt.Errorf("along other than the rows")
	}
	out := &Tensor{Shape: []int{c.in[0].Shape[0], 1}, Floats: make([]float32, c.in[0].Shape[0])}
	return out, c.in[0].rows(func(r int, row []float32) {
		sum := 0.0
		for _, v := range row {
			sum += float64(v)
		}
		out.Floats[r] = float32(sum)
	})
}

// gemm is x·wᵀ + b.
func gemm(c call) (*Tensor, error) {
	x, w, b := c.in[0], c.in[1], c.in[2]
	if c.whole("transB", 0) != 1 || c.whole("transA", 0) != 0 || x.Shape[1] != w.Shape[1] {
		return nil, fmt.Errorf("of %v and %v", x.Shape, w.Shape)
	}
	out := &Tensor{Shape: []int{x.Shape[0], w.Shape[0]}}
	return out, x.rows(func(_ int, row []float32) {
		for k, bias := range b.Floats {
			sum := float64(bias)
			for i, v := range row {
				sum += float64(v) * float64(w.Floats[k*w.Shape[1]+i])
			}
			out.Floats = append(out.Floats, float32(sum))
		}
	})
}
