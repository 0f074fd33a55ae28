package onnx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small has one of everything that is written.
func small() *Model {
	return &Model{
		Producer: "test", ProducerVersion: "1", Version: 3, Doc: "two rows", Opset: 17,
		Meta: []Entry{{"labels", `["a","ß"]`}, {"empty", ""}},
		Graph: Graph{
			Name: "g",
			Nodes: []Node{
				{Name: "z", Op: "Gemm", Inputs: []string{"x", "w", "b"}, Outputs: []string{"z"}, Attrs: []Attr{{"transB", int64(1)}, {"alpha", float32(1)}}},
				{Name: "y", Op: "Softmax", Inputs: []string{"z"}, Outputs: []string{"y"}, Attrs: []Attr{{"axis", int64(1)}, {"unused", "text"}, {"unused too", []int64{1, -2}}}},
			},
			Constants: []*Tensor{
				{Name: "w", Shape: []int{2, 3}, Floats: []float32{1, 2, 3, -1, -2, -3}},
				{Name: "b", Shape: []int{2}, Floats: []float32{0.5, -0.5}},
				{Name: "n", Shape: []int{2}, Ints: []int64{-1, 1 << 40}},
				{Name: "u", Shape: []int{3}, Bytes: []uint8{0, 128, 255}},
				{Name: "scalar", Floats: []float32{7}},
			},
			Inputs:  []Value{{Name: "x", Type: Float, Dims: []Dim{{Name: "N", Denotation: "DATA_BATCH"}, {Size: 3}}, Denotation: "IMAGE"}},
			Outputs: []Value{{Name: "y", Type: Float, Dims: []Dim{{Name: "N"}, {Size: 2}}}},
		},
	}
}

func written(t *testing.T, m *Model) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// field is a field as the text on protocol buffers defines it, read without a library.
type field struct {
	number, kind int
	value        uint64
	bytes        []byte
}

func parse(t *testing.T, data []byte) (all []field) {
	t.Helper()
	varint := func() (v uint64) {
		for shift := 0; ; shift += 7 {
			b := data[0]
			data = data[1:]
			if v |= uint64(b&127) << shift; b < 128 {
				return v
			}
		}
	}
	for len(data) > 0 {
		tag := varint()
		f := field{number: int(tag >> 3), kind: int(tag & 7)}
		switch f.kind {
		case 0:
			f.value = varint()
		case 2:
			n := varint()
			f.bytes, data = data[:n], data[n:]
		case 5:
			f.value, data = uint64(binary.LittleEndian.Uint32(data)), data[4:]
		default:
			t.Fatalf("kind %d", f.kind)
		}
		all = append(all, f)
	}
	return all
}

// of are the fields of a number.
func of(all []field, number int) (some []field) {
	for _, f := range all {
		if f.number == number {
			some = append(some, f)
		}
	}
	return some
}

// The file has the messages of ONNX's specification under the numbers of its fields.
func TestFileIsAsTheSpecificationSays(t *testing.T) {
	model := parse(t, written(t, small()))
	if v := of(model, 1)[0].value; v != 8 {
		t.Errorf("IR version %d", v)
	}
	if got := string(of(model, 2)[0].bytes) + string(of(model, 3)[0].bytes); got != "test1" || of(model, 5)[0].value != 3 {
		t.Errorf("producer %s", got)
	}
	if opset := parse(t, of(model, 8)[0].bytes); len(of(opset, 1)[0].bytes) != 0 || of(opset, 2)[0].value != 17 {
		t.Error("operator set")
	}
	if meta := of(model, 14); len(meta) != 2 || string(of(parse(t, meta[0].bytes), 2)[0].bytes) != `["a","ß"]` {
		t.Error("metadata")
	}
	graph := parse(t, of(model, 7)[0].bytes)
	nodes := of(graph, 1)
	if len(nodes) != 2 || len(of(graph, 5)) != 5 || len(of(graph, 11)) != 1 || len(of(graph, 12)) != 1 {
		t.Fatal("graph")
	}
	gemm := parse(t, nodes[0].bytes)
	if string(of(gemm, 4)[0].bytes) != "Gemm" || len(of(gemm, 1)) != 3 || string(of(gemm, 2)[0].bytes) != "z" {
		t.Error("node")
	}
	if a := parse(t, of(gemm, 5)[0].bytes); string(of(a, 1)[0].bytes) != "transB" || of(a, 3)[0].value != 1 || of(a, 20)[0].value != 2 {
		t.Error("whole attribute")
	}
	if a := parse(t, of(gemm, 5)[1].bytes); math.Float32frombits(uint32(of(a, 2)[0].value)) != 1 || of(a, 20)[0].value != 1 {
		t.Error("float attribute")
	}
	if a := parse(t, of(parse(t, nodes[1].bytes), 5)[2].bytes); len(of(a, 8)) != 2 || int64(of(a, 8)[1].value) != -2 || of(a, 20)[0].value != 7 {
		t.Error("list attribute")
	}
	w := parse(t, of(graph, 5)[0].bytes)
	raw := of(w, 9)[0].bytes
	if of(w, 1)[1].value != 3 || of(w, 2)[0].value != 1 || string(of(w, 8)[0].bytes) != "w" || len(raw) != 24 || math.Float32frombits(binary.LittleEndian.Uint32(raw[20:])) != -3 {
		t.Error("tensor")
	}
	x := parse(t, of(parse(t, of(graph, 11)[0].bytes), 2)[0].bytes)
	if string(of(x, 6)[0].bytes) != "IMAGE" {
		t.Error("denotation")
	}
	tensor := parse(t, of(x, 1)[0].bytes)
	dims := of(parse(t, of(tensor, 2)[0].bytes), 1)
	if of(tensor, 1)[0].value != 1 || string(of(parse(t, dims[0].bytes), 2)[0].bytes) != "N" || of(parse(t, dims[1].bytes), 1)[0].value != 3 {
		t.Error("input")
	}
}

func TestModelComesBack(t *testing.T) {
	got, err := Read(written(t, small()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(small(), got); diff != "" {
		t.Error(diff)
	}
	m := small()
	m.Graph.Constants[0].Shape = []int{3, 3}
	if err := m.Write(new(bytes.Buffer)); !errors.Is(err, ErrFormat) {
		t.Errorf("a tensor whose values do not fit its shape: %v", err)
	}
	m = small()
	m.Graph.Nodes[0].Attrs[0].Value = 1
	if err := m.Write(new(bytes.Buffer)); !errors.Is(err, ErrFormat) {
		t.Errorf("an attribute of a type that ONNX has not: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	var out bytes.Buffer
	if err := small().Write(&out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(out.Bytes()[:out.Len()/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Read(data); err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("%v is not ErrFormat", err)
		}
	})
}

func TestGraphRuns(t *testing.T) {
	out, err := small().Run(map[string]*Tensor{"x": {Shape: []int{2, 3}, Floats: []float32{0, 0, 0, 1, 0, -1}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{1 / (1 + math.Exp(-1)), 1 / (1 + math.Exp(1)), 1 / (1 + math.Exp(3)), 1 / (1 + math.Exp(-3))}
	for i, p := range out["y"].Floats {
		if math.Abs(float64(p)-want[i]) > 1e-6 {
			t.Errorf("value %d is %v, want %v", i, p, want[i])
		}
	}
	for why, c := range map[string]struct {
		change func(*Model)
		input  []int
	}{
		`needs the input "x"`: {func(*Model) {}, nil},
		"operator 1, Gemm":    {func(*Model) {}, []int{2, 2}},
		"not known here":      {func(m *Model) { m.Graph.Nodes[1].Op = "Einsum" }, []int{2, 3}},
		`nothing gives "q"`:   {func(m *Model) { m.Graph.Nodes[1].Inputs[0] = "q" }, []int{2, 3}},
		"the output":          {func(m *Model) { m.Graph.Outputs[0].Name = "q" }, []int{2, 3}},
	} {
		m := small()
		c.change(m)
		in := map[string]*Tensor{}
		if c.input != nil {
			in["x"] = &Tensor{Shape: c.input, Floats: make([]float32, size(c.input))}
		}
		if _, err := m.Run(in); !errors.Is(err, ErrRun) || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %s", err, why)
		}
	}
}

// run computes one operator.
func run(t *testing.T, op string, in []*Tensor, attrs ...Attr) *Tensor {
	t.Helper()
	out, err := operators[op](call{&Node{Op: op, Attrs: attrs}, in})
	if err == nil {
		err = out.check()
	}
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return out
}

func floats(shape []int, values ...float32) *Tensor { return &Tensor{Shape: shape, Floats: values} }
func ints(values ...int64) *Tensor                  { return &Tensor{Shape: []int{len(values)}, Ints: values} }

// Each operator does what the specification's text says, on numbers that can be followed.
func TestOperators(t *testing.T) {
	square := []Attr{{"kernel_shape", []int64{3, 3}}, {"strides", []int64{2, 2}}, {"pads", []int64{1, 1, 1, 1}}}
	plane := floats([]int{1, 1, 4, 4}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -16)
	for name, c := range map[string]struct{ got, want *Tensor }{
		"Add":     {run(t, "Add", []*Tensor{floats([]int{2, 2}, 1, 2, 3, 4), floats([]int{2}, 10, 20)}), floats([]int{2, 2}, 11, 22, 13, 24)},
		"Sub":     {run(t, "Sub", []*Tensor{floats([]int{1, 2, 1}, 1, 2), floats([]int{2, 1, 1}, 10, 20)}), floats([]int{2, 2, 1}, -9, -8, -19, -18)},
		"Div":     {run(t, "Div", []*Tensor{ints(7, 8, 9), ints(4)}), ints(1, 2, 2)},
		"Min":     {run(t, "Min", []*Tensor{ints(7), ints(4)}), ints(4)},
		"Max":     {run(t, "Max", []*Tensor{floats([]int{2}, 1, -1), floats(nil, 0)}), floats([]int{2}, 1, 0)},
		"Relu":    {run(t, "Relu", []*Tensor{floats([]int{3}, -1, 0, 2)}), floats([]int{3}, 0, 0, 2)},
		"Sqrt":    {run(t, "Sqrt", []*Tensor{floats([]int{1}, 9)}), floats([]int{1}, 3)},
		"Cast":    {run(t, "Cast", []*Tensor{{Shape: []int{2}, Bytes: []byte{0, 255}}}, Attr{"to", int64(1)}), floats([]int{2}, 0, 255)},
		"Reduce":  {run(t, "ReduceSum", []*Tensor{floats([]int{2, 2}, 1, 2, 3, 4), ints(1)}), floats([]int{2, 1}, 3, 7)},
		"ArgMax":  {run(t, "ArgMax", []*Tensor{floats([]int{2, 3}, 1, 5, 5, 9, 0, 0)}, Attr{"axis", int64(1)}, Attr{"keepdims", int64(0)}), ints(1, 0)},
		"Turn":    {run(t, "Transpose", []*Tensor{floats([]int{2, 3}, 1, 2, 3, 4, 5, 6)}, Attr{"perm", []int64{1, 0}}), floats([]int{3, 2}, 1, 4, 2, 5, 3, 6)},
		"Slice":   {run(t, "Slice", []*Tensor{plane, ints(1, 2), ints(3, 4), ints(2, 3)}), floats([]int{1, 1, 2, 2}, 7, 8, 11, 12)},
		"Pad":     {run(t, "Pad", []*Tensor{floats([]int{1, 2}, 1, 2), ints(1, 0, 0, 1)}), floats([]int{2, 3}, 0, 0, 0, 1, 2, 0)},
		"Shape":   {run(t, "Shape", []*Tensor{plane}), ints(1, 1, 4, 4)},
		"Concat":  {run(t, "Concat", []*Tensor{ints(1), ints(2, 3)}), ints(1, 2, 3)},
		"Flat":    {run(t, "Flatten", []*Tensor{plane}), plane.reshaped([]int{1, 16})},
		"Insert":  {run(t, "Unsqueeze", []*Tensor{floats([]int{2}, 1, 2), ints(0)}), floats([]int{1, 2}, 1, 2)},
		"MaxPool": {run(t, "MaxPool", []*Tensor{plane}, square...), floats([]int{1, 1, 2, 2}, 6, 8, 14, 15)},
		"Average": {run(t, "GlobalAveragePool", []*Tensor{plane}), floats([]int{1, 1, 1, 1}, 104./16)},
		"Conv": {run(t, "Conv", []*Tensor{plane, floats([]int{1, 1, 3, 3}, 0, 0, 0, 0, 1, 0, 0, 0, 100), floats([]int{1}, 0.5)}, square...),
			floats([]int{1, 1, 2, 2}, 601.5, 803.5, 1409.5, -1588.5)},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A picture that keeps its size keeps its pixels, one of one colour keeps its colour, and
// halving takes the triangle over four pixels.
func TestResize(t *testing.T) {
	attrs := []Attr{{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}, {"antialias", int64(1)}}
	x := &Tensor{Shape: []int{1, 1, 2, 4}, Bytes: []byte{0, 80, 160, 240, 8, 88, 168, 248}}
	if got := run(t, "Resize", []*Tensor{x, nil, nil, ints(1, 1, 2, 4)}, attrs...); !slices.Equal(got.Bytes, x.Bytes) {
		t.Errorf("the same size: %v", got.Bytes)
	}
	// The outer pixel of a pair has its neighbour beyond: weights 3/8 3/8 1/8 over 7/8.
	if got := run(t, "Resize", []*Tensor{x, nil, nil, ints(1, 1, 2, 2)}, attrs...); !slices.Equal(got.Bytes, []byte{57, 183, 65, 191}) {
		t.Errorf("half the width: %v", got.Bytes)
	}
	grey := &Tensor{Shape: []int{1, 1, 37, 53}, Bytes: bytes.Repeat([]byte{201}, 37*53)}
	if got := run(t, "Resize", []*Tensor{grey, nil, nil, ints(1, 1, 90, 11)}, attrs...); !reflect.DeepEqual(got.Bytes, bytes.Repeat([]byte{201}, 90*11)) {
		t.Error("one colour became several")
	}
	if _, err := resize(call{&Node{Op: "Resize"}, []*Tensor{x, nil, nil, ints(1, 1, 2, 2)}}); err == nil {
		t.Error("another kind of Resize was computed as if it were this one")
	}
}

// Channels are computed some at a time, and the rest one by one: all are the plain sum.
func TestConvIsThePlainSum(t *testing.T) {
	const in, out, side, taps = 3, 6, 5, 3
	x, w, bias := &Tensor{Shape: []int{2, in, side, side}}, &Tensor{Shape: []int{out, in, taps, taps}}, &Tensor{Shape: []int{out}}
	for _, tensor := range []*Tensor{x, w, bias} {
		for i := range size(tensor.Shape) {
			tensor.Floats = append(tensor.Floats, float32(i*i%17-8))
		}
	}
	got := run(t, "Conv", []*Tensor{x, w, bias}, Attr{"kernel_shape", []int64{3, 3}}, Attr{"strides", []int64{1, 1}}, Attr{"pads", []int64{1, 1, 1, 1}})
	at := 0
	for n := range 2 {
		for k := range out {
			for y := range side {
				for xo := range side {
					sum := bias.Floats[k]
					for c := range in {
						for tap := range taps * taps {
							iy, ix := y+tap/taps-1, xo+tap%taps-1
							if iy >= 0 && ix >= 0 && iy < side && ix < side {
								sum += x.Floats[((n*in+c)*side+iy)*side+ix] * w.Floats[(k*in+c)*taps*taps+tap]
							}
						}
					}
					if got.Floats[at] != sum {
						t.Fatalf("image %d, channel %d at %d,%d is %v, want %v", n, k, y, xo, got.Floats[at], sum)
					}
					at++
				}
			}
		}
	}
}
