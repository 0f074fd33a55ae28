package resnet

import "fmt"

// FoldedConv is a convolution with its batch norm folded in, for an engine that has its
// own arithmetic.
type FoldedConv struct {
	Name         string
	In, Out      int // channels
	Taps, Stride int // of the filters; padding keeps the size
	Side         int // of the output
	filters      *filters
	extra        []float64 // added to the bias
}

// FoldedBlock is a residual block: ReLU(Conv2(ReLU(Conv1(x))) + Down(x)), where Down
// is nil if x is added as it is.
type FoldedBlock struct {
	Conv1, Conv2 FoldedConv
	Down         *FoldedConv
}

// Folded is the network as a table.
type Folded struct {
	// Stem has 4×4 taps over blocks of 2×2 pixels × RGB (channel (y·2+x)·3+rgb) of an
	// image with a border of 3 zero pixels: StemBlocks in a row, without padding. A
	// max pool of 3×3, two apart, follows.
	Stem   FoldedConv
	Blocks []FoldedBlock
}

// StemBlocks is the side of the stem's input in blocks of 2×2 pixels.
const StemBlocks = stemSide + (stemTaps+1)/2 - 1

// Fold folds the batch norms. The tensors are those that New accepts.
func Fold(tensor Tensor) (*Folded, error) {
	stem, err := fold(tensor, "conv1", "bn1", 3, stemOutputs, stemTaps)
	if err != nil {
		return nil, err
	}
	stem = stem.spread()
	n := &Folded{Stem: FoldedConv{Name: "conv1", In: stem.in, Out: stem.out, Taps: stem.taps, Stride: 1, Side: stemSide, filters: stem}}
	layer := func(conv, norm string, in int, b blockShape, taps, stride int) FoldedConv {
		f, ferr := fold(tensor, conv, norm, in, b.out, taps)
		if ferr != nil && err == nil {
			err = ferr
		}
		return FoldedConv{Name: conv, In: in, Out: b.out, Taps: taps, Stride: stride, Side: b.side, filters: f}
	}
	for _, b := range blockShapes {
		block := FoldedBlock{
			Conv1: layer(b.name+".conv1", b.name+".bn1", b.in, b, 3, b.stride),
			Conv2: layer(b.name+".conv2", b.name+".bn2", b.out, b, 3, 1),
		}
		if b.stride > 1 {
			down := layer(b.name+".downsample.0", b.name+".downsample.1", b.in, b, 1, b.stride)
			block.Down = &down
		}
		n.Blocks = append(n.Blocks, block)
	}
	if err != nil {
		return nil, err
	}
	for i := range n.Blocks {
		if d := n.Blocks[i].Down; d != nil {
			n.Blocks[i].Conv2.extra = d.filters.bias
		}
	}
	return n, nil
}

// Weights returns the folded weights as out × taps × taps × channels, where channels
// beyond In are zero.
func (l *FoldedConv) Weights(channels int) []float32 {
	taps := l.Taps * l.Taps
	w := make([]float32, l.Out*taps*channels)
	plane := make([]float64, taps)
	for out := range l.Out {
		for in := range l.In {
			l.filters.at(plane, out, in)
			for tap, v := range plane {
				w[(out*taps+tap)*channels+in] = float32(v)
			}
		}
	}
	return w
}

// Bias returns what is added to each output channel. That of Conv2 includes the bias of
// the block's Down, which is computed without one.
func (l *FoldedConv) Bias() []float32 {
	bias := make([]float32, l.Out)
	for i, b := range l.filters.bias {
		if l.extra != nil {
			b += l.extra[i]
		}
		bias[i] = float32(b)
	}
	return bias
}

// FoldConv folds the batch norm called norm into the convolution called conv, of which it
// returns out × in × taps × taps weights, and a bias an output channel.
func FoldConv(tensor Tensor, conv, norm string) (weights, bias []float32, err error) {
	out := len(tensor(norm + ".bias"))
	if out == 0 || len(tensor(conv+".weight"))%out != 0 {
		return nil, nil, fmt.Errorf("resnet: %s does not fit %s", norm, conv)
	}
	f, err := fold(tensor, conv, norm, len(tensor(conv+".weight"))/out, out, 1) // whatever its taps are
	if err != nil {
		return nil, nil, err
	}
	weights = make([]float32, len(f.weights))
	for i, w := range f.weights {
		weights[i] = float32(float64(w) * f.scale[i/f.in])
	}
	return weights, (&FoldedConv{Out: out, filters: f}).Bias(), nil
}
