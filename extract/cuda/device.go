//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	_ "embed"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"icebox/extract"
	"icebox/extract/internal/resnet"
)

// pixelsPTX is pixels.cu, compiled for every GPU since Maxwell.
//
//go:embed pixels.ptx
var pixelsPTX []byte

// owned lists what has to be given back, in the order in which it was taken.
type owned struct {
	driver *driver
	undo   []func() error
}

func (o *owned) add(undo func() error) { o.undo = append(o.undo, undo) }

// close gives everything back, the last first.
func (o *owned) close() error {
	var errs []error
	for i := len(o.undo) - 1; i >= 0; i-- {
		errs = append(errs, o.undo[i]())
	}
	o.undo = nil
	return errors.Join(errs...)
}

// memory takes memory of the device.
func (o *owned) memory(bytes uintptr) (devptr, error) {
	var p devptr
	if err := o.driver.check(fmt.Sprintf("cuMemAlloc of %d bytes", bytes), o.driver.memAlloc(&p, bytes)); err != nil {
		return 0, err
	}
	o.add(func() error { return o.driver.check("cuMemFree", o.driver.memFree(p)) })
	return p, nil
}

// pinned takes memory of the host that the device can copy by itself. The garbage
// collector neither moves nor frees it.
func (o *owned) pinned(bytes uintptr) (unsafe.Pointer, error) {
	var p unsafe.Pointer
	if err := o.driver.check(fmt.Sprintf("cuMemHostAlloc of %d bytes", bytes), o.driver.memHostAlloc(&p, bytes, cuMemHostAllocDefault)); err != nil {
		return nil, err
	}
	o.add(func() error { return o.driver.check("cuMemFreeHost", o.driver.memFreeHost(p)) })
	return p, nil
}

func (o *owned) stream() (stream, error) {
	var s stream
	if err := o.driver.check("cuStreamCreate", o.driver.streamCreate(&s, cuStreamNonBlocking)); err != nil {
		return 0, err
	}
	o.add(func() error { return o.driver.check("cuStreamDestroy", o.driver.streamDestroy(s)) })
	return s, nil
}

func (o *owned) event() (event, error) {
	var e event
	if err := o.driver.check("cuEventCreate", o.driver.eventCreate(&e, cuEventDisableTiming|cuEventBlockingSync)); err != nil {
		return 0, err
	}
	o.add(func() error { return o.driver.check("cuEventDestroy", o.driver.eventDestroy(e)) })
	return e, nil
}

// lanes is how many batches are under way: one filled, one copied, one computed.
const lanes = 3

// lane is the memory of one batch on its way to the device and back.
type lane struct {
	pixels, rows       unsafe.Pointer // pinned
	devPixels, devRows devptr
	params             unsafe.Pointer // pinned: the kernel's arguments and their addresses
	uploaded, done     event
}

// device is a GPU with the network on it. A thread of its own runs everything but
// the copies into and out of pinned memory, and a second one waits.
type device struct {
	gpu
	*libraries
	own    owned
	ctx    cuContext
	batch  int
	p      precision
	net    *net
	kernel function
	upload stream
	work   stream
	probe  []float32 // the feature of verify's image

	queue
	launched chan *load
	closed   chan error

	memo extract.Memo // of plans
}

// openDevice makes the network for one batch shape, the largest up to most for which
// memory is free. d.batch is the shape even if that fails.
func openDevice(lib *libraries, g gpu, layers *resnet.Folded, lut *[3][256]float32, p precision, most int, memo extract.Memo) (d *device, err error) {
	d = &device{gpu: g, libraries: lib, own: owned{driver: lib.driver}, p: p, batch: most, memo: memo, launched: make(chan *load, lanes), closed: make(chan error, 1)}
	opened := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with its context
		err := d.setUp(layers, lut)
		if err == nil {
			err = d.verify()
		}
		if err != nil {
			opened <- errors.Join(err, d.giveBack())
			return
		}
		d.queue.init(d.batch)
		opened <- nil
		waited := make(chan struct{})
		go d.wait(waited)
		d.serve()
		close(d.launched)
		<-waited
		d.closed <- d.giveBack()
	}()
	return d, d.named(<-opened)
}

// close ends the device when nobody uses it any more.
func (d *device) close() error {
	d.end()
	return <-d.closed
}

// setUp takes everything that the device needs.
func (d *device) setUp(layers *resnet.Folded, lut *[3][256]float32) error {
	if err := d.driver.check("cuDevicePrimaryCtxRetain", d.driver.primaryCtxRetain(&d.ctx, d.gpu.device)); err != nil {
		return err
	}
	d.own.add(func() error {
		return d.driver.check("cuDevicePrimaryCtxRelease", d.driver.primaryCtxRelease(d.gpu.device))
	})
	if err := d.driver.check("cuCtxSetCurrent", d.driver.ctxSetCurrent(d.ctx)); err != nil {
		return err
	}
	var err error
	if d.upload, err = d.own.stream(); err != nil {
		return err
	}
	if d.work, err = d.own.stream(); err != nil {
		return err
	}
	var h handle
	if err := d.cudnn.check("cudnnCreate", d.cudnn.create(&h)); err != nil {
		return err
	}
	d.own.add(func() error { return d.cudnn.check("cudnnDestroy", d.cudnn.destroy(h)) })
	if err := d.cudnn.check("cudnnSetStream", d.cudnn.setStream(h, d.work)); err != nil {
		return err
	}
	var free, total uintptr
	if err := d.driver.check("cuMemGetInfo", d.driver.memGetInfo(&free, &total)); err != nil {
		return err
	}
	d.batch = measure(layers, d.p).batch(d.batch, free)
	if d.net, err = newNet(d.libraries, h, &d.own, layers, d.p, d.batch); err != nil {
		return err
	}
	table, err := d.loadKernel(lut)
	if err != nil {
		return err
	}
	for range lanes {
		l, err := d.newLane(table)
		if err != nil {
			return err
		}
		d.free = append(d.free, l)
	}
	if err := d.driver.check("cuMemGetInfo", d.driver.memGetInfo(&free, &total)); err != nil {
		return err
	}
	// Copies from memory that is not pinned may still be under way, and the streams,
	// which do not block, would not wait for them.
	if err := d.driver.check("cuStreamSynchronize of uploads", d.driver.streamSynchronize(0)); err != nil {
		return err
	}
	return d.net.choose(planKey{d.name, d.driverText(), d.p.name, d.batch}, d.work, min(free/4, 1<<30), d.memo)
}

// giveBack lets the device finish what it reads and writes, then gives all of it back.
func (d *device) giveBack() error {
	for _, s := range []stream{d.upload, d.work} {
		if s != 0 {
			d.driver.streamSynchronize(s) // if it fails, the device is lost and writes nothing
		}
	}
	return d.own.close()
}

// loadKernel loads pixels.ptx and uploads the table of normalised values.
func (d *device) loadKernel(lut *[3][256]float32) (devptr, error) {
	var m module
	image := append(pixelsPTX[:len(pixelsPTX):len(pixelsPTX)], 0)
	if err := d.driver.check("cuModuleLoadData of pixels.ptx", d.driver.moduleLoadData(&m, unsafe.Pointer(&image[0]))); err != nil {
		return 0, err
	}
	d.own.add(func() error { return d.driver.check("cuModuleUnload", d.driver.moduleUnload(m)) })
	if err := d.driver.check("cuModuleGetFunction "+d.p.kernel, d.driver.moduleGetFunction(&d.kernel, m, d.p.kernel)); err != nil {
		return 0, err
	}
	b := &builder{net: d.net}
	table := b.upload(label("table of normalised values"), d.p.encode(unsafe.Slice(&lut[0][0], 3*256)))
	return table, b.err
}

func (d *device) newLane(table devptr) (*lane, error) {
	l := &lane{}
	batch := uintptr(d.batch)
	var err error
	host := func(to *unsafe.Pointer, bytes uintptr) {
		if err == nil {
			*to, err = d.own.pinned(bytes)
		}
	}
	dev := func(to *devptr, bytes uintptr) {
		if err == nil {
			*to, err = d.own.memory(bytes)
		}
	}
	host(&l.pixels, batch*extract.PixelBytes)
	host(&l.rows, batch*extract.Dim*d.p.bytes)
	dev(&l.devPixels, batch*extract.PixelBytes)
	dev(&l.devRows, batch*extract.Dim*d.p.bytes)
	host(&l.params, unsafe.Sizeof(kernelParams{}))
	for _, e := range []*event{&l.uploaded, &l.done} {
		if err == nil {
			*e, err = d.own.event()
		}
	}
	if err != nil {
		return nil, err
	}
	p := (*kernelParams)(l.params)
	p.pixels, p.blocks, p.table = l.devPixels, d.net.at[bufBlocks], table
	p.args = [3]unsafe.Pointer{unsafe.Pointer(&p.pixels), unsafe.Pointer(&p.blocks), unsafe.Pointer(&p.table)}
	return l, nil
}

// kernelParams are the arguments of a kernel of pixels.cu, and where they lie.
type kernelParams struct {
	pixels, blocks, table devptr
	args                  [3]unsafe.Pointer
}

// launch queues a lane's first n images; l.done is when the rows are there.
func (d *device) launch(l *lane, n int) error {
	const threads = 256
	width := uint32(resnet.StemBlocks * d.p.channels)
	dr := d.driver
	steps := []struct {
		call string
		do   func() cuResult
	}{
		{"cuMemcpyHtoDAsync of pixels", func() cuResult {
			return dr.memcpyHtoDAsync(l.devPixels, l.pixels, uintptr(n)*extract.PixelBytes, d.upload)
		}},
		{"cuEventRecord", func() cuResult { return dr.eventRecord(l.uploaded, d.upload) }},
		{"cuStreamWaitEvent", func() cuResult { return dr.streamWaitEvent(d.work, l.uploaded, 0) }},
		{"cuLaunchKernel " + d.p.kernel, func() cuResult {
			args := unsafe.Pointer(&(*kernelParams)(l.params).args)
			return dr.launchKernel(d.kernel, (width+threads-1)/threads, resnet.StemBlocks, uint32(d.batch), threads, 1, 1, 0, d.work, args, nil)
		}},
	}
	for _, s := range steps {
		if err := dr.check(s.call, s.do()); err != nil {
			return err
		}
	}
	if err := d.net.run(l.devRows); err != nil {
		return err
	}
	if err := dr.check("cuMemcpyDtoHAsync of features", dr.memcpyDtoHAsync(l.rows, l.devRows, uintptr(n)*extract.Dim*d.p.bytes, d.work)); err != nil {
		return err
	}
	return dr.check("cuEventRecord", dr.eventRecord(l.done, d.work))
}

// slot returns the pixels of image i of the lane.
func (l *lane) slot(i, n int) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Add(l.pixels, i*extract.PixelBytes)), n*extract.PixelBytes)
}

// read decodes the rows of images from i on.
func (d *device) read(l *lane, i int, features []float32) {
	d.p.decode(features, unsafe.Add(l.rows, uintptr(i)*extract.Dim*d.p.bytes))
}

// verify runs two batches, which makes the libraries take the memory that they want,
// and checks that an image's feature depends neither on its place in the batch nor on
// the images beside it. If it does, every convolution takes the plainest algorithm,
// and the check is made once more.
func (d *device) verify() error {
	err := d.alone()
	if !errors.Is(err, errCompany) {
		return err
	}
	for _, c := range d.net.convs {
		c.algo = algoImplicitPrecomp
		if _, err := d.net.affordable(c, []algorithm{c.algo}, d.net.spaceBytes); err != nil {
			return err
		}
	}
	return d.alone()
}

var errCompany = errors.New("what cuDNN computes for an image depends on the rest of the batch")

func (d *device) alone() error {
	l := d.free[0]
	pixels := l.slot(0, d.batch)
	state := uint32(1)
	for i := range pixels {
		if i < extract.PixelBytes {
			state = state*1664525 + 1013904223
			pixels[i] = uint8(state >> 24)
		} else {
			pixels[i] = pixels[i-extract.PixelBytes]
		}
	}
	first, row := make([]float32, extract.Dim), make([]float32, extract.Dim)
	d.probe = first
	for round := range 2 {
		if err := d.launch(l, d.batch); err != nil {
			return err
		}
		if err := d.driver.check("cuEventSynchronize of a batch", d.driver.eventSynchronize(l.done)); err != nil {
			return err
		}
		if round == 0 {
			d.read(l, 0, first)
			clear(pixels[extract.PixelBytes:]) // other images beside it
		}
		for i := range d.batch {
			if d.read(l, i, row); (round == 0 || i == 0) && !equal(row, first) {
				return fmt.Errorf("%w (place %d of %d, plan %s)", errCompany, i, d.batch, d.net.text())
			}
		}
	}
	return nil
}

func equal(a, b []float32) bool {
	for i := range a {
		if a[i] != b[i] { // also where one is NaN, which is not a feature
			return false
		}
	}
	return true
}

// driverText names what the device's results depend on besides the plan.
func (l *libraries) driverText() string {
	return fmt.Sprintf("CUDA %s, cuDNN %s", l.driver.version(), l.cudnn.version())
}
