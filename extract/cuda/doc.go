// Package cuda is the engine that runs the backbone on NVIDIA GPUs, through
// libraries that it finds when it is opened: the driver (libcuda) and cuDNN 9. It
// needs neither cgo nor a toolkit to build, and no Python to run. It does not need the
// CUDA runtime either, because cuDNN carries its own. Only programs import it, and
// list it in the options:
//
//	extract.Options{Engines: []extract.EngineSpec{cuda.Spec(cuda.Options{})}}
//
// # What runs
//
//	pixels    8-bit crops cross the bus; a kernel of ours (pixels.cu) looks normalised
//	          values up in a table and lays them out as blocks of 2×2 pixels
//	stem      7×7 /2 as 4×4 over 12 channels (16 for fp16), ReLU; max pool 3×3 /2
//	blocks    conv1 + ReLU; conv2 + residual + ReLU; a 1×1 downsample where the shape
//	          changes, whose bias is conv2's
//	pool      average of 7×7
//
// Everything is NHWC, batch norms are folded in float64, and each convolution is one
// cuDNN call with bias, residual and ReLU in it. Its algorithm is chosen by timing
// that very call, once for a (device, driver, cuDNN, batch, precision), and written
// into the plan. The choice is kept for other processes in the Memo, because noise
// could lead to another choice another time.
//
// # Batches
//
// The network has one batch shape, and all memory is taken when the engine opens:
// the shape is the largest, halved from 128, whose weights, activations and lanes fit
// half of the memory that is free then (memory.go). It is a part of the plan, because
// cuDNN may compute other last bits in another shape. Calls of many goroutines share a
// batch, and a batch that is not full is computed in full: so a feature's bytes depend
// neither on its place nor on the images beside it. The engine checks that on the
// device before it is used. Three lanes of pinned memory and two streams let callers
// fill one while another is copied and a third computed. Each device has an operating
// system thread of its own.
//
// # When a GPU fails
//
// A GPU that runs out of memory after all, in the middle of a run, is opened again for
// half the batch. That is another plan, which Info tells, and which must pass
// extract's gate before its rows are kept. If one of several GPUs is lost, the others
// go on without it. In both cases the images that it had go back to the calls that
// brought them, which hand them to a GPU that works, and Note is called once. The
// error of the last GPU ends the run. GPUs are compared with each other when they are
// opened, because the gate looks at the first alone.
//
// # Files
//
// loader.go finds the libraries; driver.go and cudnn.go bind them; net.go is the
// network, memory.go measures it and plan.go chooses its algorithms; device.go is a
// GPU with its streams and lanes, which queue.go shares among callers; engine.go is
// what extract sees.
package cuda
