//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"strings"
	"unsafe"
)

// Types of cudnn_graph.h, cudnn_ops.h and cudnn_cnn.h. Handles are opaque.
type (
	cudnnStatus int32
	handle      uintptr
	tensorDesc  uintptr
	filterDesc  uintptr
	convDesc    uintptr
	poolDesc    uintptr
	actDesc     uintptr
	dataType    int32
	mathType    int32
	algorithm   int32
)

// Values of cudnn_graph.h (dataType, format, math, activation, mode), cudnn_cnn.h
// (algorithm) and cudnn_ops.h (pooling, determinism) of cuDNN 9.26; the same since 7.
const (
	dataFloat dataType = 0
	dataHalf  dataType = 2

	tensorNHWC = 1

	defaultMath  mathType = 0 // float: TF32 where the GPU has it
	tensorOpMath mathType = 1
	fmaMath      mathType = 3 // float is float

	crossCorrelation = 1

	activationRelu  = 1
	notPropagateNaN = 0

	poolingMax            = 0
	poolingAverageInclude = 1

	algoImplicitPrecomp algorithm = 1

	algorithms    = 8
	deterministic = 1
)

// Values of cudnnStatus_t (cudnn_graph.h) that say that memory ran short.
const (
	statusHostAllocation   cudnnStatus = 4003 // also CUDNN_STATUS_ALLOC_FAILED
	statusDeviceAllocation cudnnStatus = 4004
)

// cudnnMajor is the version whose values and signatures these are.
const cudnnMajor = 9

// algoPerf is cudnnConvolutionFwdAlgoPerf_t.
type algoPerf struct {
	algo        algorithm
	status      cudnnStatus
	_           float32 // time
	_           int32
	_           uintptr // memory
	determinism int32
	_           mathType
	_           [3]int32
	_           int32
}

// cudnn is libcudnn. Scalars (alpha, beta) are pointers to float for both data types.
type cudnn struct {
	path string

	getVersion         func() uintptr
	getCudartVersion   func() uintptr
	getErrorString     func(s cudnnStatus) *byte
	getLastErrorString func(text *byte, size uintptr)
	create             func(h *handle) cudnnStatus
	destroy            func(h handle) cudnnStatus
	setStream          func(h handle, s stream) cudnnStatus

	createTensor  func(d *tensorDesc) cudnnStatus
	destroyTensor func(d tensorDesc) cudnnStatus
	setTensor4d   func(d tensorDesc, format int32, t dataType, n, c, h, w int32) cudnnStatus
	createFilter  func(d *filterDesc) cudnnStatus
	destroyFilter func(d filterDesc) cudnnStatus
	setFilter4d   func(d filterDesc, t dataType, format, k, c, h, w int32) cudnnStatus
	createConv    func(d *convDesc) cudnnStatus
	destroyConv   func(d convDesc) cudnnStatus
	setConv2d     func(d convDesc, padH, padW, strideH, strideW, dilationH, dilationW, mode int32, compute dataType) cudnnStatus
	setConvMath   func(d convDesc, m mathType) cudnnStatus
	createAct     func(d *actDesc) cudnnStatus
	destroyAct    func(d actDesc) cudnnStatus
	setAct        func(d actDesc, mode, nan int32, coef float64) cudnnStatus
	createPool    func(d *poolDesc) cudnnStatus
	destroyPool   func(d poolDesc) cudnnStatus
	setPool2d     func(d poolDesc, mode, nan, windowH, windowW, padH, padW, strideH, strideW int32) cudnnStatus

	getConvAlgorithm func(h handle, x tensorDesc, w filterDesc, c convDesc, y tensorDesc, room int32, found *int32, perf *algoPerf) cudnnStatus
	getConvWorkspace func(h handle, x tensorDesc, w filterDesc, c convDesc, y tensorDesc, a algorithm, bytes *uintptr) cudnnStatus
	convForward      func(h handle, alpha *float32, xDesc tensorDesc, x devptr, wDesc filterDesc, w devptr, c convDesc, a algorithm, space devptr, spaceBytes uintptr,
		beta *float32, yDesc tensorDesc, y devptr) cudnnStatus
	convBiasActForward func(h handle, alpha1 *float32, xDesc tensorDesc, x devptr, wDesc filterDesc, w devptr, c convDesc, a algorithm, space devptr, spaceBytes uintptr,
		alpha2 *float32, zDesc tensorDesc, z devptr, biasDesc tensorDesc, bias devptr, act actDesc, yDesc tensorDesc, y devptr) cudnnStatus
	poolForward func(h handle, d poolDesc, alpha *float32, xDesc tensorDesc, x devptr, beta *float32, yDesc tensorDesc, y devptr) cudnnStatus
}

func (c *cudnn) bindings() []binding {
	return []binding{
		{&c.getVersion, "cudnnGetVersion"},
		{&c.getCudartVersion, "cudnnGetCudartVersion"},
		{&c.getErrorString, "cudnnGetErrorString"},
		{&c.getLastErrorString, "cudnnGetLastErrorString"},
		{&c.create, "cudnnCreate"},
		{&c.destroy, "cudnnDestroy"},
		{&c.setStream, "cudnnSetStream"},
		{&c.createTensor, "cudnnCreateTensorDescriptor"},
		{&c.destroyTensor, "cudnnDestroyTensorDescriptor"},
		{&c.setTensor4d, "cudnnSetTensor4dDescriptor"},
		{&c.createFilter, "cudnnCreateFilterDescriptor"},
		{&c.destroyFilter, "cudnnDestroyFilterDescriptor"},
		{&c.setFilter4d, "cudnnSetFilter4dDescriptor"},
		{&c.createConv, "cudnnCreateConvolutionDescriptor"},
		{&c.destroyConv, "cudnnDestroyConvolutionDescriptor"},
		{&c.setConv2d, "cudnnSetConvolution2dDescriptor"},
		{&c.setConvMath, "cudnnSetConvolutionMathType"},
		{&c.createAct, "cudnnCreateActivationDescriptor"},
		{&c.destroyAct, "cudnnDestroyActivationDescriptor"},
		{&c.setAct, "cudnnSetActivationDescriptor"},
		{&c.createPool, "cudnnCreatePoolingDescriptor"},
		{&c.destroyPool, "cudnnDestroyPoolingDescriptor"},
		{&c.setPool2d, "cudnnSetPooling2dDescriptor"},
		{&c.getConvAlgorithm, "cudnnGetConvolutionForwardAlgorithm_v7"},
		{&c.getConvWorkspace, "cudnnGetConvolutionForwardWorkspaceSize"},
		{&c.convForward, "cudnnConvolutionForward"},
		{&c.convBiasActForward, "cudnnConvolutionBiasActivationForward"},
		{&c.poolForward, "cudnnPoolingForward"},
	}
}

// cudnnError is a failed call, in cuDNN's own words.
type cudnnError struct {
	call, name, text string
	status           cudnnStatus
}

func (e *cudnnError) Error() string {
	if e.text == "" {
		return fmt.Sprintf("%s: %s", e.call, e.name)
	}
	return fmt.Sprintf("%s: %s (%s)", e.call, e.name, e.text)
}

// outOfMemory reports whether the call failed because memory ran short. It looks at
// the text as well: what the CUDA runtime or the driver told cuDNN arrives as an
// execution that failed.
func (e *cudnnError) outOfMemory() bool {
	return e.status == statusHostAllocation || e.status == statusDeviceAllocation ||
		strings.Contains(e.text, "out of memory") || strings.Contains(e.text, "OUT_OF_MEMORY")
}

// check returns what is wrong with the call that returned s.
func (c *cudnn) check(call string, s cudnnStatus) error {
	if s == 0 {
		return nil
	}
	text := make([]byte, 512)
	c.getLastErrorString(&text[0], uintptr(len(text)))
	text[len(text)-1] = 0
	return &cudnnError{call: call, name: cString(c.getErrorString(s)), text: cString(&text[0]), status: s}
}

// version returns a text such as 9.26.0. Up to version 8 the number has a digit less.
func (c *cudnn) version() string {
	v, major := c.getVersion(), uintptr(10000)
	if v < 9*major {
		major = 1000
	}
	return fmt.Sprintf("%d.%d.%d", v/major, v%major/100, v%100)
}

func (c *cudnn) major() int { return int(c.getVersion() / 10000) }

// cudaMajor is the version of CUDA that cuDNN was built for.
func (c *cudnn) cudaMajor() int { return int(c.getCudartVersion() / 1000) }

// The structure must have the size that cudnn_cnn.h gives it: 48 bytes.
var _ [48]byte = [unsafe.Sizeof(algoPerf{})]byte{}
