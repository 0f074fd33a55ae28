package export

import (
	"cmp"
	"fmt"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/export/onnx"
)

// Names of a graph's inputs and outputs.
const (
	cropInput   = "image"        // uint8: of a crop [N,224,224,3], of a whole image [H,W,3]
	pixelsInput = "pixel_values" // float32 [N,3,224,224], as transformers calls it

	logitsOutput = "logits"        // float32 [N,classes]: as trained
	probsOutput  = "probabilities" // float32 [N,classes]: of the logits over the temperature
	labelOutput  = "label"         // int64 [N]: the place of the likeliest class
)

// builder makes a graph, an operator after the other.
type builder struct {
	onnx.Graph
	err error
}

// op adds an operator whose output has the operator's name, and returns that.
func (b *builder) op(name, op string, inputs []string, attrs ...onnx.Attr) string {
	b.Nodes = append(b.Nodes, onnx.Node{Name: name, Op: op, Inputs: inputs, Outputs: []string{name}, Attrs: attrs})
	return name
}

// floats adds a constant.
func (b *builder) floats(name string, shape []int, values ...float32) string {
	b.Constants = append(b.Constants, &onnx.Tensor{Name: name, Shape: shape, Floats: values})
	return name
}

// ints adds a list of whole numbers.
func (b *builder) ints(name string, values ...int64) string {
	b.Constants = append(b.Constants, &onnx.Tensor{Name: name, Shape: []int{len(values)}, Ints: values})
	return name
}

// conv adds a convolution with its batch norm folded in.
func (b *builder) conv(net Net, x, conv, norm string, in, taps, stride int) string {
	weights, bias, err := net.Folded(conv, norm)
	if err == nil && len(weights) != len(bias)*in*taps*taps {
		err = fmt.Errorf("export: %s has %d weights", conv, len(weights))
	}
	b.err = cmp.Or(b.err, err)
	w := b.floats(conv+".weight", []int{len(bias), in, taps, taps}, weights...)
	return b.op(conv, "Conv", []string{x, w, b.floats(conv+".bias", []int{len(bias)}, bias...)}, window(taps, stride)...)
}

// window is the attributes of a window that keeps the size, but for its stride.
func window(taps, stride int) []onnx.Attr {
	t, s, p := int64(taps), int64(stride), int64(taps/2)
	return []onnx.Attr{{Name: "kernel_shape", Value: []int64{t, t}}, {Name: "pads", Value: []int64{p, p, p, p}}, {Name: "strides", Value: []int64{s, s}}}
}

// stage is the layout of a stage of ResNet-18: two blocks, of which the first halves the
// size but in the first stage.
type stage struct{ in, out, stride int }

var stages = [4]stage{{64, 64, 1}, {64, 128, 2}, {128, 256, 2}, {256, 512, 2}}

// backbone adds ResNet-18 from normalised pixels on, and returns the features [N,512].
func (b *builder) backbone(net Net, x string) string {
	x = b.op("relu", "Relu", []string{b.conv(net, x, "conv1", "bn1", 3, 7, 2)})
	x = b.op("maxpool", "MaxPool", []string{x}, window(3, 2)...)
	for i, s := range stages {
		for j := range 2 {
			x = b.block(net, x, fmt.Sprintf("layer%d.%d", i+1, j), s)
			s.in, s.stride = s.out, 1
		}
	}
	x = b.op("avgpool", "GlobalAveragePool", []string{x})
	return b.op("features", "Flatten", []string{x}, onnx.Attr{Name: "axis", Value: int64(1)})
}

// block adds ReLU(conv2(ReLU(conv1(x))) + x), where x takes a way of its own if the shape
// changes.
func (b *builder) block(net Net, x, name string, s stage) string {
	y := b.conv(net, x, name+".conv1", name+".bn1", s.in, 3, s.stride)
	y = b.op(name+".relu", "Relu", []string{y})
	y = b.conv(net, y, name+".conv2", name+".bn2", s.out, 3, 1)
	if s.in != s.out {
		x = b.conv(net, x, name+".downsample.0", name+".downsample.1", s.in, 1, s.stride)
	}
	return b.op(name, "Relu", []string{b.op(name+".add", "Add", []string{y, x})})
}

// head adds the head to the features x, and the three outputs.
func (b *builder) head(h *headtrain.Head, x string) {
	if h.Input == headtrain.InputL2 {
		x = b.unit(x)
	}
	if l := h.Hidden; l != nil {
		x = b.op("fc1", "Gemm", []string{x, b.floats("fc1.weight", []int{l.Out, l.In}, l.W...), b.floats("fc1.bias", []int{l.Out}, l.B...)}, onnx.Attr{Name: "transB", Value: int64(1)})
		x = b.op("fc1.relu", "Relu", []string{x})
	}
	k := len(h.Classes)
	w, bias := b.floats("fc.weight", []int{k, len(h.W) / k}, h.W...), b.floats("fc.bias", []int{k}, h.B...)
	logits := b.op(logitsOutput, "Gemm", []string{x, w, bias}, onnx.Attr{Name: "transB", Value: int64(1)})
	scaled := b.op("calibrated", "Div", []string{logits, b.floats("temperature", nil, float32(temperature(h)))})
	b.op(probsOutput, "Softmax", []string{scaled}, onnx.Attr{Name: "axis", Value: int64(1)})
	b.op(labelOutput, "ArgMax", []string{logits}, onnx.Attr{Name: "axis", Value: int64(1)}, onnx.Attr{Name: "keepdims", Value: int64(0)})
	batch, classes := onnx.Dim{Name: "N", Denotation: "DATA_BATCH"}, onnx.Dim{Size: int64(k)}
	b.Outputs = []onnx.Value{
		{Name: logitsOutput, Type: onnx.Float, Dims: []onnx.Dim{batch, classes}},
		{Name: probsOutput, Type: onnx.Float, Dims: []onnx.Dim{batch, classes}},
		{Name: labelOutput, Type: onnx.Int64, Dims: []onnx.Dim{batch}},
	}
}

// unit scales each row to length 1. Features are no smaller than 0, and a row of zeros
// stays one.
func (b *builder) unit(x string) string {
	sum := b.op("l2.sum", "ReduceSum", []string{b.op("l2.squares", "Mul", []string{x, x}), b.ints("l2.axes", 1)}, onnx.Attr{Name: "keepdims", Value: int64(1)})
	length := b.op("l2.length", "Max", []string{b.op("l2.sqrt", "Sqrt", []string{sum}), b.floats("l2.least", nil, 1e-12)})
	return b.op("l2", "Div", []string{x, length})
}

func temperature(h *headtrain.Head) float64 { return cmp.Or(h.Temperature, 1) }

// graph makes the graph of a model for a form of input.
func graph(m Model, input string) (*onnx.Model, error) {
	b := &builder{}
	b.Name = "resnet18"
	opset := int64(17)
	var x string
	switch input {
	case InputPixels:
		x = pixelsInput
		b.Inputs = []onnx.Value{{Name: x, Type: onnx.Float, Dims: []onnx.Dim{{Name: "N", Denotation: "DATA_BATCH"}, {Size: 3, Denotation: "DATA_CHANNEL"}, {Size: extract.Side, Denotation: "DATA_FEATURE"}, {Size: extract.Side, Denotation: "DATA_FEATURE"}}}}
	case InputImage:
		opset = 18 // whose Resize can antialias
		x = b.wholeImage(m.Info.Fingerprint.Preprocess)
	default:
		x = b.crop()
	}
	if input != InputPixels {
		x = b.normalised(x)
	}
	b.head(m.Head, b.backbone(m.Net, x))
	if input == InputImage {
		for i := range b.Outputs {
			b.Outputs[i].Dims[0] = onnx.Dim{Size: 1, Denotation: "DATA_BATCH"}
		}
	}
	out := &onnx.Model{Producer: "icebox", ProducerVersion: m.Program, Version: 1, Doc: describe(m, input), Opset: opset, Graph: b.Graph}
	meta, err := metadata(m, input)
	out.Meta = meta
	return out, cmp.Or(b.err, err)
}
