//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"fmt"

	"icebox/extract"
)

// probe goes as far as it can, so that one look tells everything that is missing.
func probe(o Options) Report {
	var r Report
	d, err := loadDriver(o.getenv)
	if err != nil {
		r.Missing = err.Error()
		return r
	}
	r.Driver = fmt.Sprintf("CUDA %s (%s)", d.version(), d.path)
	n, err := d.count()
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: the driver sees no GPU", extract.ErrNoDevice)
	}
	for i := 0; i < n && err == nil; i++ {
		var g gpu
		if g, err = d.gpu(i); err == nil {
			r.GPUs = append(r.GPUs, GPU{Name: g.name, Device: fmt.Sprintf("cuda:%d", i), Capability: fmt.Sprintf("%d.%d", g.major, g.minor), Memory: uint64(g.memory)})
		}
	}
	c, cerr := loadCudnn(o.getenv)
	if cerr == nil {
		r.CuDNN = fmt.Sprintf("%s (%s)", c.version(), c.path)
	}
	if err == nil {
		err = cerr
	}
	if err != nil {
		r.Missing = err.Error()
	}
	return r
}
