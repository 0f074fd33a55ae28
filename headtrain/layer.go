package headtrain

import (
	"math"
	"slices"

	"icebox/headtrain/internal/kernel"
)

// Layer is one linear layer, as torch.nn.Linear holds it.
type Layer struct {
	In, Out int
	W       []float32 // Out × In
	B       []float32 // Out
}

// initialLayers draws the layers of a head of d features and k classes, each
// evenly from ±1/√In, the range of torch.nn.Linear: weights unit by unit, then
// biases, layer after layer from one stream. A linear head gets the weights
// that every engine starts from.
func initialLayers(o Options, d, k int) []Layer {
	sizes := []int{d, k}
	if o.Kind == KindMLP {
		sizes = []int{d, o.Hidden, k}
	}
	r := newRNG(o.Seed, initStream)
	var layers []Layer
	for i, in := range sizes[:len(sizes)-1] {
		out := sizes[i+1]
		values := make([]float32, out*in+out)
		bound := float32(1 / math.Sqrt(float64(in)))
		for j := range values {
			values[j] = r.symmetric() * bound
		}
		layers = append(layers, Layer{In: in, Out: out, W: values[: out*in : out*in], B: values[out*in:]})
	}
	return layers
}

// clone returns a copy that shares nothing with l.
func (l Layer) clone() Layer {
	l.W, l.B = slices.Clone(l.W), slices.Clone(l.B)
	return l
}

// fold writes a layer that takes mapped features as one that takes raw ones.
func (l Layer) fold(in input) Layer {
	l = l.clone()
	for c := range l.Out {
		l.B[c] = in.fold(l.W[c*l.In:(c+1)*l.In], l.B[c])
	}
	return l
}

func (l Layer) finite() bool { return allFinite(l.W) && allFinite(l.B) }

// params returns the layer as the kernels want it.
func (l Layer) params() []float32 {
	params := make([]float32, kernel.ParamLen(l.In, l.Out))
	for c := range l.Out {
		for j, w := range l.W[c*l.In : (c+1)*l.In] {
			params[kernel.ParamIndex(l.In, j, c)] = w
		}
		params[kernel.ParamIndex(l.In, l.In, c)] = l.B[c]
	}
	return params
}

// hidden is the first layer of an MLP at work on batches of rows.
type hidden struct {
	isa    kernel.ISA
	params []float32
	units  int
	x, z   kernel.Matrix // gathered features, and the layer's outputs before the ReLU
}

func newHidden(isa kernel.ISA, l *Layer, rows int) *hidden {
	b := newBatch(rows, l.In, l.Out)
	return &hidden{isa: isa, params: l.params(), units: l.Out, x: b.x, z: b.z}
}

// forward writes the hidden units of the rows in h.x to the rows of dst.
func (h *hidden) forward(dst kernel.Matrix, rows int) {
	h.isa.Forward(h.z, h.x, h.params)
	for r := range rows {
		out := dst.Row(r)
		for j, v := range h.z.Row(r)[:h.units] {
			out[j] = max(v, 0)
		}
	}
}
