//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/x448/float16"

	"icebox/extract/internal/resnet"
)

// precision is a numeric class in cuDNN's terms.
type precision struct {
	name     string
	data     dataType
	bytes    uintptr // of an element
	math     mathType
	channels int    // of the stem's input: a multiple of what tensor cores take
	kernel   string // of pixels.cu
}

// precisions by name. Sums are float in all of them.
var precisions = map[string]precision{
	"fp32": {"fp32", dataFloat, 4, fmaMath, 12, "blocks32"},
	"tf32": {"tf32", dataFloat, 4, defaultMath, 12, "blocks32"},
	"fp16": {"fp16", dataHalf, 2, tensorOpMath, 16, "blocks16"},
}

// encode returns values as the device holds them.
func (p precision) encode(values []float32) []byte {
	if p.data == dataFloat {
		return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values))
	}
	half := make([]float16.Float16, len(values))
	for i, v := range values {
		half[i] = float16.Fromfloat32(v)
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&half[0])), 2*len(half))
}

// decode is the inverse of encode.
func (p precision) decode(values []float32, from unsafe.Pointer) {
	if p.data == dataFloat {
		copy(values, unsafe.Slice((*float32)(from), len(values)))
		return
	}
	for i, h := range unsafe.Slice((*float16.Float16)(from), len(values)) {
		values[i] = h.Float32()
	}
}

// scalars that cuDNN reads through pointers, for every data type of ours.
var one, zero float32 = 1, 0

// shape is a tensor of a batch, channels innermost.
type shape struct{ channels, side int }

func (s shape) String() string { return fmt.Sprintf("%d×%d×%d", s.channels, s.side, s.side) }

func (s shape) elements() uintptr { return uintptr(s.channels * s.side * s.side) }

// buffer is where a tensor lies.
type buffer int

const (
	bufBlocks buffer = iota // what the kernel writes
	bufStem                 // the stem's output; later two quarters
	bufA                    // the three that blocks take turns with
	bufB
	bufC
	bufFeatures
	buffers
)

// conv is a convolution on the device, with what cuDNN wants to know of it.
type conv struct {
	name     string
	in, out  shape
	taps     int
	stride   int
	pad      int
	x, z, y  buffer
	residual bool // z is added
	plain    bool // no bias, no ReLU
	weights  devptr
	bias     devptr
	xDesc    tensorDesc
	yDesc    tensorDesc
	biasDesc tensorDesc
	wDesc    filterDesc
	convDesc convDesc
	algo     algorithm
}

func (c *conv) String() string {
	return fmt.Sprintf("%s (%v → %v, %d×%d taps, stride %d)", c.name, c.in, c.out, c.taps, c.taps, c.stride)
}

// pool is a pooling on the device.
type pool struct {
	name         string
	in, out      shape
	x, y         buffer
	desc         poolDesc
	xDesc, yDesc tensorDesc
}

// net is the network of one batch shape on one device. Its methods run on the
// device's thread.
type net struct {
	*libraries
	handle handle
	own    *owned
	p      precision
	batch  int

	convs   []*conv // in order; the max pool comes after the first
	maxPool pool
	average pool
	relu    actDesc

	at         [buffers]devptr
	space      devptr
	spaceBytes uintptr
}

// newNet uploads the weights and describes every tensor and operation.
func newNet(lib *libraries, h handle, own *owned, layers *resnet.Folded, p precision, batch int) (*net, error) {
	n := &net{libraries: lib, handle: h, own: own, p: p, batch: batch}
	n.table(layers)
	b := &builder{net: n}
	weights := map[string]*resnet.FoldedConv{"conv1": &layers.Stem}
	for i := range layers.Blocks {
		k := &layers.Blocks[i]
		weights[k.Conv1.Name], weights[k.Conv2.Name] = &k.Conv1, &k.Conv2
		if k.Down != nil {
			weights[k.Down.Name] = k.Down
		}
	}
	b.relu()
	for _, c := range n.convs {
		b.conv(c, weights[c.name])
	}
	b.pool(&n.maxPool, poolingMax, 3, 1, 2)
	b.pool(&n.average, poolingAverageInclude, n.average.in.side, 0, 1)
	b.buffers()
	return n, b.err
}

// table lists the operations and where each reads and writes. A block reads A, B or
// C and writes another; with a downsample, the third holds its result.
func (n *net) table(layers *resnet.Folded) {
	stem := layers.Stem
	in := shape{n.p.channels, resnet.StemBlocks}
	out := shape{stem.Out, stem.Side}
	n.convs = append(n.convs, &conv{name: stem.Name, in: in, out: out, taps: stem.Taps, stride: 1, x: bufBlocks, y: bufStem})
	x, at := shape{stem.Out, stem.Side / 2}, bufA
	n.maxPool = pool{name: "maxpool", in: out, out: x, x: bufStem, y: at}
	others := [2]buffer{bufB, bufC}
	for _, b := range layers.Blocks {
		mid, res := others[0], others[1]
		add := func(l *resnet.FoldedConv, in shape, from, to buffer) *conv {
			c := &conv{name: l.Name, in: in, out: shape{l.Out, l.Side}, taps: l.Taps, stride: l.Stride, pad: l.Taps / 2, x: from, y: to}
			n.convs = append(n.convs, c)
			return c
		}
		c1 := add(&b.Conv1, x, at, mid)
		z, y := at, res
		if b.Down != nil {
			add(b.Down, x, at, res).plain = true
			z, y = res, at // x is not needed any more
		}
		c2 := add(&b.Conv2, c1.out, mid, y)
		c2.z, c2.residual = z, true
		x = c2.out
		if y != at {
			others[1] = at
		}
		at = y
	}
	n.average = pool{name: "avgpool", in: x, out: shape{x.channels, 1}, x: at, y: bufFeatures}
}

// builder makes what a network needs and stops at the first error.
type builder struct {
	*net
	err error
}

// dnn notes the outcome of a cuDNN call, and reports whether all went well so far.
func (b *builder) dnn(of fmt.Stringer, call string, s cudnnStatus) bool {
	if err := b.cudnn.check(call, s); err != nil && b.err == nil {
		b.err = fmt.Errorf("%v, batch %d: %w", of, b.batch, err)
	}
	return b.err == nil
}

type label string

func (n label) String() string { return string(n) }

func (b *builder) relu() {
	if b.err == nil && b.dnn(label("ReLU"), "cudnnCreateActivationDescriptor", b.cudnn.createAct(&b.net.relu)) {
		d := b.net.relu
		b.own.add(func() error { return b.cudnn.check("cudnnDestroyActivationDescriptor", b.cudnn.destroyAct(d)) })
		b.dnn(label("ReLU"), "cudnnSetActivationDescriptor", b.cudnn.setAct(d, activationRelu, notPropagateNaN, 0))
	}
}

func (b *builder) tensor(of fmt.Stringer, to *tensorDesc, batch int, s shape) {
	if b.err == nil && b.dnn(of, "cudnnCreateTensorDescriptor", b.cudnn.createTensor(to)) {
		d := *to
		b.own.add(func() error { return b.cudnn.check("cudnnDestroyTensorDescriptor", b.cudnn.destroyTensor(d)) })
		b.dnn(of, "cudnnSetTensor4dDescriptor", b.cudnn.setTensor4d(d, tensorNHWC, b.p.data, int32(batch), int32(s.channels), int32(s.side), int32(s.side)))
	}
}

func (b *builder) conv(c *conv, l *resnet.FoldedConv) {
	b.describe(c)
	c.weights = b.upload(c, b.p.encode(l.Weights(c.in.channels)))
	if !c.plain {
		c.bias = b.upload(c, b.p.encode(l.Bias()))
	}
}

func (b *builder) describe(c *conv) {
	b.tensor(c, &c.xDesc, b.batch, c.in)
	b.tensor(c, &c.yDesc, b.batch, c.out)
	b.tensor(c, &c.biasDesc, 1, shape{c.out.channels, 1})
	if b.err == nil && b.dnn(c, "cudnnCreateFilterDescriptor", b.cudnn.createFilter(&c.wDesc)) {
		d := c.wDesc
		b.own.add(func() error { return b.cudnn.check("cudnnDestroyFilterDescriptor", b.cudnn.destroyFilter(d)) })
		b.dnn(c, "cudnnSetFilter4dDescriptor", b.cudnn.setFilter4d(d, b.p.data, tensorNHWC, int32(c.out.channels), int32(c.in.channels), int32(c.taps), int32(c.taps)))
	}
	if b.err == nil && b.dnn(c, "cudnnCreateConvolutionDescriptor", b.cudnn.createConv(&c.convDesc)) {
		d, pad, stride := c.convDesc, int32(c.pad), int32(c.stride)
		b.own.add(func() error { return b.cudnn.check("cudnnDestroyConvolutionDescriptor", b.cudnn.destroyConv(d)) })
		b.dnn(c, "cudnnSetConvolution2dDescriptor", b.cudnn.setConv2d(d, pad, pad, stride, stride, 1, 1, crossCorrelation, dataFloat))
		b.dnn(c, "cudnnSetConvolutionMathType", b.cudnn.setConvMath(d, b.p.math))
	}
}

func (b *builder) pool(p *pool, mode, window, pad, stride int) {
	b.tensor(label(p.name), &p.xDesc, b.batch, p.in)
	b.tensor(label(p.name), &p.yDesc, b.batch, p.out)
	if b.err == nil && b.dnn(label(p.name), "cudnnCreatePoolingDescriptor", b.cudnn.createPool(&p.desc)) {
		d := p.desc
		b.own.add(func() error { return b.cudnn.check("cudnnDestroyPoolingDescriptor", b.cudnn.destroyPool(d)) })
		b.dnn(label(p.name), "cudnnSetPooling2dDescriptor",
			b.cudnn.setPool2d(d, int32(mode), notPropagateNaN, int32(window), int32(window), int32(pad), int32(pad), int32(stride), int32(stride)))
	}
}

// upload puts data in the device's memory, for good.
func (b *builder) upload(of fmt.Stringer, data []byte) devptr {
	if b.err != nil {
		return 0
	}
	p, err := b.own.memory(uintptr(len(data)))
	if err == nil {
		err = b.driver.check("cuMemcpyHtoD", b.driver.memcpyHtoD(p, unsafe.Pointer(&data[0]), uintptr(len(data))))
	}
	if err != nil {
		b.err = fmt.Errorf("%v: weights: %w", of, err)
	}
	return p
}

// buffers takes the memory of activations, but for that of pixels and features,
// which lanes have of their own.
func (b *builder) buffers() {
	if b.err != nil {
		return
	}
	n := b.net
	image := func(s shape) uintptr { return s.elements() * n.p.bytes * uintptr(n.batch) }
	n.at[bufBlocks], b.err = n.own.memory(image(n.convs[0].in))
	if b.err == nil {
		n.at[bufStem], b.err = n.own.memory(image(n.convs[0].out))
	}
	if b.err == nil {
		n.at[bufA], b.err = n.own.memory(image(n.maxPool.out))
	}
	// Nobody reads the stem's output after it is pooled, and it is four times as large.
	n.at[bufB] = n.at[bufStem]
	n.at[bufC] = n.at[bufStem] + devptr(image(n.maxPool.out))
}

// run queues the network; features is where the rows go.
func (n *net) run(features devptr) error {
	n.at[bufFeatures] = features
	for i, c := range n.convs {
		if err := n.convolve(c, c.algo); err != nil {
			return err
		}
		if i == 0 {
			if err := n.pool(&n.maxPool); err != nil {
				return err
			}
		}
	}
	return n.pool(&n.average)
}

// convolve queues one convolution.
func (n *net) convolve(c *conv, a algorithm) error {
	x, y := n.at[c.x], n.at[c.y]
	if c.plain {
		s := n.cudnn.convForward(n.handle, &one, c.xDesc, x, c.wDesc, c.weights, c.convDesc, a, n.space, n.spaceBytes, &zero, c.yDesc, y)
		return n.said(c, "cudnnConvolutionForward", s)
	}
	z, scale := y, &zero // cuDNN wants a z even where it is not added
	if c.residual {
		z, scale = n.at[c.z], &one
	}
	s := n.cudnn.convBiasActForward(n.handle, &one, c.xDesc, x, c.wDesc, c.weights, c.convDesc, a, n.space, n.spaceBytes,
		scale, c.yDesc, z, c.biasDesc, c.bias, n.relu, c.yDesc, y)
	return n.said(c, "cudnnConvolutionBiasActivationForward", s)
}

func (n *net) pool(p *pool) error {
	s := n.cudnn.poolForward(n.handle, p.desc, &one, p.xDesc, n.at[p.x], &zero, p.yDesc, n.at[p.y])
	return n.said(label(p.name), "cudnnPoolingForward", s)
}

func (n *net) said(of fmt.Stringer, call string, s cudnnStatus) error {
	if err := n.cudnn.check(call, s); err != nil {
		return fmt.Errorf("%v, batch %d, %s: %w", of, n.batch, n.p.name, err)
	}
	return nil
}

// candidates lists the algorithms that cuDNN offers for c, the one it prefers first.
func (n *net) candidates(c *conv) ([]algorithm, error) {
	var perf [algorithms]algoPerf
	var found int32
	s := n.cudnn.getConvAlgorithm(n.handle, c.xDesc, c.wDesc, c.convDesc, c.yDesc, int32(len(perf)), &found, &perf[0])
	if err := n.said(c, "cudnnGetConvolutionForwardAlgorithm_v7", s); err != nil {
		return nil, err
	}
	var list []algorithm
	for _, p := range perf[:min(max(found, 0), algorithms)] {
		if p.status == 0 && p.determinism == deterministic && p.algo >= 0 && p.algo < algorithms && !slices.Contains(list, p.algo) {
			list = append(list, p.algo)
		}
	}
	if !slices.Contains(list, algoImplicitPrecomp) {
		list = append(list, algoImplicitPrecomp) // it can do every convolution
	}
	return list, nil
}
