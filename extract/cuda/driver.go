//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"unsafe"
)

// Types of cuda.h. Handles are opaque.
type (
	cuResult  int32
	cuDevice  int32
	cuContext uintptr
	stream    uintptr
	event     uintptr
	module    uintptr
	function  uintptr
	devptr    uintptr // in the device's memory
)

// Values of cuda.h (CUDA 13.2), which have not changed since CUDA 11.
const (
	cuErrorOutOfMemory cuResult = 2
	cuErrorNoDevice    cuResult = 100

	cuStreamNonBlocking   = 1
	cuEventBlockingSync   = 1
	cuEventDisableTiming  = 2
	cuMemHostAllocDefault = 0

	cuAttributeComputeMajor = 75
	cuAttributeComputeMinor = 76
)

// driver is libcuda. A "_v2" is the name that cuda.h gives a function since its
// arguments became 64 bits wide, or its meaning changed.
type driver struct {
	path string

	init              func(flags uint32) cuResult
	driverGetVersion  func(version *int32) cuResult
	getErrorName      func(r cuResult, text **byte) cuResult
	getErrorString    func(r cuResult, text **byte) cuResult
	deviceGetCount    func(n *int32) cuResult
	deviceGet         func(d *cuDevice, ordinal int32) cuResult
	deviceGetName     func(name *byte, size int32, d cuDevice) cuResult
	deviceGetAttr     func(value *int32, attribute int32, d cuDevice) cuResult
	deviceTotalMem    func(bytes *uintptr, d cuDevice) cuResult
	primaryCtxRetain  func(c *cuContext, d cuDevice) cuResult
	primaryCtxRelease func(d cuDevice) cuResult
	ctxSetCurrent     func(c cuContext) cuResult
	memGetInfo        func(free, total *uintptr) cuResult
	memAlloc          func(p *devptr, bytes uintptr) cuResult
	memFree           func(p devptr) cuResult
	memHostAlloc      func(p *unsafe.Pointer, bytes uintptr, flags uint32) cuResult
	memFreeHost       func(p unsafe.Pointer) cuResult
	memcpyHtoD        func(to devptr, from unsafe.Pointer, bytes uintptr) cuResult
	memcpyHtoDAsync   func(to devptr, from unsafe.Pointer, bytes uintptr, s stream) cuResult
	memcpyDtoHAsync   func(to unsafe.Pointer, from devptr, bytes uintptr, s stream) cuResult
	streamCreate      func(s *stream, flags uint32) cuResult
	streamDestroy     func(s stream) cuResult
	streamSynchronize func(s stream) cuResult
	streamWaitEvent   func(s stream, e event, flags uint32) cuResult
	eventCreate       func(e *event, flags uint32) cuResult
	eventDestroy      func(e event) cuResult
	eventRecord       func(e event, s stream) cuResult
	eventSynchronize  func(e event) cuResult
	moduleLoadData    func(m *module, image unsafe.Pointer) cuResult
	moduleUnload      func(m module) cuResult
	moduleGetFunction func(f *function, m module, name string) cuResult
	launchKernel      func(f function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes uint32, s stream, params, extra unsafe.Pointer) cuResult
}

func (d *driver) bindings() []binding {
	return []binding{
		{&d.init, "cuInit"},
		{&d.driverGetVersion, "cuDriverGetVersion"},
		{&d.getErrorName, "cuGetErrorName"},
		{&d.getErrorString, "cuGetErrorString"},
		{&d.deviceGetCount, "cuDeviceGetCount"},
		{&d.deviceGet, "cuDeviceGet"},
		{&d.deviceGetName, "cuDeviceGetName"},
		{&d.deviceGetAttr, "cuDeviceGetAttribute"},
		{&d.deviceTotalMem, "cuDeviceTotalMem_v2"},
		{&d.primaryCtxRetain, "cuDevicePrimaryCtxRetain"},
		{&d.primaryCtxRelease, "cuDevicePrimaryCtxRelease_v2"},
		{&d.ctxSetCurrent, "cuCtxSetCurrent"},
		{&d.memGetInfo, "cuMemGetInfo_v2"},
		{&d.memAlloc, "cuMemAlloc_v2"},
		{&d.memFree, "cuMemFree_v2"},
		{&d.memHostAlloc, "cuMemHostAlloc"},
		{&d.memFreeHost, "cuMemFreeHost"},
		{&d.memcpyHtoD, "cuMemcpyHtoD_v2"},
		{&d.memcpyHtoDAsync, "cuMemcpyHtoDAsync_v2"},
		{&d.memcpyDtoHAsync, "cuMemcpyDtoHAsync_v2"},
		{&d.streamCreate, "cuStreamCreate"},
		{&d.streamDestroy, "cuStreamDestroy_v2"},
		{&d.streamSynchronize, "cuStreamSynchronize"},
		{&d.streamWaitEvent, "cuStreamWaitEvent"},
		{&d.eventCreate, "cuEventCreate"},
		{&d.eventDestroy, "cuEventDestroy_v2"},
		{&d.eventRecord, "cuEventRecord"},
		{&d.eventSynchronize, "cuEventSynchronize"},
		{&d.moduleLoadData, "cuModuleLoadData"},
		{&d.moduleUnload, "cuModuleUnload"},
		{&d.moduleGetFunction, "cuModuleGetFunction"},
		{&d.launchKernel, "cuLaunchKernel"},
	}
}

// driverError is a failed call, in the driver's own words.
type driverError struct {
	call, name, text string
	result           cuResult
}

func (e *driverError) Error() string {
	return fmt.Sprintf("%s: %s (%s)", e.call, e.name, e.text)
}

func (e *driverError) outOfMemory() bool { return e.result == cuErrorOutOfMemory }

// check returns what is wrong with the call that returned r.
func (d *driver) check(call string, r cuResult) error {
	if r == 0 {
		return nil
	}
	var name, text *byte
	d.getErrorName(r, &name)
	d.getErrorString(r, &text)
	e := &driverError{call: call, name: cString(name), text: cString(text), result: r}
	if e.name == "" {
		e.name, e.text = fmt.Sprintf("error %d", r), "the driver does not describe it"
	}
	return e
}

// cString copies a C string; nil is "".
func cString(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

// version is the newest CUDA that the driver knows, such as 13.2.
func (d *driver) version() string {
	var v int32
	if d.driverGetVersion(&v) != 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d", v/1000, v%1000/10)
}

func (d *driver) cudaMajor() int {
	var v int32
	d.driverGetVersion(&v)
	return int(v / 1000)
}

// count is the number of GPUs.
func (d *driver) count() (int, error) {
	var n int32
	if err := d.check("cuInit", d.init(0)); err != nil {
		return 0, err
	}
	err := d.check("cuDeviceGetCount", d.deviceGetCount(&n))
	return int(n), err
}

// gpu holds what is known of a device before it is used.
type gpu struct {
	ordinal int
	device  cuDevice
	name    string
	major   int32
	minor   int32
	memory  uintptr
}

func (d *driver) gpu(ordinal int) (gpu, error) {
	g := gpu{ordinal: ordinal}
	if err := d.check("cuDeviceGet", d.deviceGet(&g.device, int32(ordinal))); err != nil {
		return g, err
	}
	var name [256]byte
	if err := d.check("cuDeviceGetName", d.deviceGetName(&name[0], int32(len(name)), g.device)); err != nil {
		return g, err
	}
	name[len(name)-1] = 0
	g.name = cString(&name[0])
	for _, a := range []struct {
		to   *int32
		attr int32
	}{{&g.major, cuAttributeComputeMajor}, {&g.minor, cuAttributeComputeMinor}} {
		if err := d.check("cuDeviceGetAttribute", d.deviceGetAttr(a.to, a.attr, g.device)); err != nil {
			return g, err
		}
	}
	return g, d.check("cuDeviceTotalMem", d.deviceTotalMem(&g.memory, g.device))
}
