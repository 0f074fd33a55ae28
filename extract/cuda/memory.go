//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"errors"

	"icebox/extract"
	"icebox/extract/internal/resnet"
)

// footprint is the memory of the device that a network takes, workspace apart: bytes
// whatever the batch, and bytes for each image of it.
type footprint struct{ fixed, image uintptr }

// measure adds up what newNet, loadKernel and newLane take.
func measure(layers *resnet.Folded, p precision) footprint {
	n := &net{p: p}
	n.table(layers)
	f := footprint{fixed: 3 * 256 * p.bytes}
	for _, c := range n.convs {
		f.fixed += uintptr(c.taps*c.taps*c.in.channels*c.out.channels) * p.bytes
		if !c.plain {
			f.fixed += uintptr(c.out.channels) * p.bytes
		}
	}
	f.image = (n.convs[0].in.elements() + n.convs[0].out.elements() + n.maxPool.out.elements()) * p.bytes
	f.image += lanes * (extract.PixelBytes + extract.Dim*p.bytes)
	return f
}

func (f footprint) of(batch int) uintptr { return f.fixed + uintptr(batch)*f.image }

// batch halves most until a batch takes no more than half of the free memory. Workspace
// takes at most a quarter of what is left then (setUp); the rest is for the kernels
// that cuDNN loads when it first runs them, and for other programs.
func (f footprint) batch(most int, free uintptr) int {
	for most > 1 && f.of(most) > free/2 {
		most /= 2
	}
	return most
}

// outOfMemory reports whether a smaller batch may do.
func outOfMemory(err error) bool {
	var short interface{ outOfMemory() bool }
	return errors.As(err, &short) && short.outOfMemory()
}
