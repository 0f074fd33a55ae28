package headtrain

import (
	"math"
	"slices"

	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/finite"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/rng"
)

// Layer is one linear layer, as torch.nn.Linear holds it.
type Layer struct {
	In, Out int
	W       []float32 // Out × In
	B       []float32 // Out
}

// initStream numbers the stream of the initial weights. The shuffle of epoch e,
// counted from 1, takes stream e.
const initStream = 0

// initialLayers draws the layers of a head of d features and k classes evenly from
// -1/√In to 1/√In, the range of torch.nn.Linear. One stream gives all of them: layer
// after layer, the weights output by output, then the biases. Every engine starts
// from these.
func initialLayers(o Options, d, k int) []Layer {
	sizes := []int{d, k}
	if o.Kind == KindMLP {
		sizes = []int{d, o.Hidden, k}
	}
	r := rng.New(o.Seed, initStream)
	var layers []Layer
	for i, in := range sizes[:len(sizes)-1] {
		out := sizes[i+1]
		values := make([]float32, out*in+out)
		bound := float32(1 / math.Sqrt(float64(in)))
		for j := range values {
			values[j] = r.Symmetric() * bound
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

// fold returns the layer of raw features that does what l does on mapped ones.
func (l Layer) fold(in affine.Map) Layer {
	l = l.clone()
	for c := range l.Out {
		l.B[c] = in.Fold(l.W[c*l.In:(c+1)*l.In], l.B[c])
	}
	return l
}

func (l Layer) finite() bool { return finite.All(l.W) && finite.All(l.B) }

// params returns the parameters in the layout of package kernel.
func (l Layer) params() []float32 {
	stride := kernel.Stride(l.In)
	params := make([]float32, l.Out*stride)
	for c, b := range l.B {
		copy(params[c*stride:], l.W[c*l.In:(c+1)*l.In])
		params[c*stride+l.In] = b
	}
	return params
}

// applied is a layer with the memory to work on blocks of rows.
type applied struct {
	in, out int
	params  []float32
	z       []float32 // its outputs on a block, by column
	next    []float32 // the same after a ReLU, by row, as the next layer takes them
}

// forward returns the outputs on a block of rows. They are overwritten by the next
// call.
func (a *applied) forward(isa kernel.ISA, x []float32) []float32 {
	stride := kernel.Stride(a.in)
	isa.Forward(a.z, x, stride, a.params, stride, a.in, a.out, nil)
	return a.z
}

// activations returns the last outputs after a ReLU, by row.
func (a *applied) activations() []float32 {
	stride := kernel.Stride(a.out)
	if a.next == nil {
		a.next = make([]float32, kernel.Block*stride)
	}
	for c := range a.out {
		for r, v := range a.z[c*kernel.Block:][:kernel.Block] {
			a.next[r*stride+c] = max(v, 0)
		}
	}
	return a.next
}
