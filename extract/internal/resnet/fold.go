package resnet

import (
	"fmt"
	"math"
)

// Tensor returns a parameter by torchvision's name. The slice is read only.
type Tensor func(name string) []float32

// epsilon is PyTorch's default for batch norm.
const epsilon = 1e-5

// filters is a convolution with its batch norm folded in.
type filters struct {
	weights       []float32 // out × in × taps × taps, as trained
	scale         []float64 // by output channel, of the weights
	bias          []float64
	in, out, taps int
}

// at returns the folded weights of a pair of channels, row-major.
func (f *filters) at(w []float64, out, in int) {
	n := f.taps * f.taps
	for i, x := range f.weights[(out*f.in+in)*n:][:n] {
		w[i] = float64(x) * f.scale[out]
	}
}

// fitsHalf reports whether half precision suits the folded weights: none is so
// large that a transform of it might overflow, and those that matter are far from
// where halves lose digits.
func (f *filters) fitsHalf() bool {
	most := 0.0
	n := len(f.weights) / f.out
	for out, scale := range f.scale {
		bits := uint32(0) // for floats of one sign, the bits are in the order of the floats
		for _, x := range f.weights[out*n:][:n] {
			bits = max(bits, math.Float32bits(x)&^(1<<31))
		}
		most = max(most, math.Abs(float64(math.Float32frombits(bits))*scale))
	}
	return most > 1./128 && most < 4096
}

// fold reads the convolution called conv and the batch norm called norm.
func fold(tensor Tensor, conv, norm string, in, out, taps int) (*filters, error) {
	f := &filters{in: in, out: out, taps: taps, scale: make([]float64, out), bias: make([]float64, out)}
	var err error
	read := func(name string, n int) []float32 {
		t := tensor(name)
		if len(t) != n && err == nil {
			err = fmt.Errorf("resnet: tensor %s has %d values, want %d", name, len(t), n)
		}
		return t
	}
	f.weights = read(conv+".weight", out*in*taps*taps)
	gamma, beta := read(norm+".weight", out), read(norm+".bias", out)
	mean, variance := read(norm+".running_mean", out), read(norm+".running_var", out)
	if err != nil {
		return nil, err
	}
	for n := range out {
		f.scale[n] = float64(gamma[n]) / math.Sqrt(float64(variance[n])+epsilon)
		f.bias[n] = float64(beta[n]) - float64(mean[n])*f.scale[n]
	}
	return f, nil
}

// spread turns the stem's 7×7 taps over 3 channels into 4×4 over 12: tap 2i+p of
// channel c becomes tap i of channel (py, px, c).
func (f *filters) spread() *filters {
	const taps = (stemTaps + 1) / 2
	s := &filters{in: stemInputs, out: f.out, taps: taps, scale: f.scale, bias: f.bias}
	s.weights = make([]float32, f.out*stemInputs*taps*taps)
	for n := range f.out {
		for c := range f.in {
			for y := range f.taps {
				for x := range f.taps {
					channel := (y%2*2+x%2)*f.in + c
					s.weights[((n*stemInputs+channel)*taps+y/2)*taps+x/2] = f.weights[((n*f.in+c)*f.taps+y)*f.taps+x]
				}
			}
		}
	}
	return s
}
