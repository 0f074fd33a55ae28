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
	cuda := 0
	if err == nil {
		cuda = d.cudaMajor()
		r.Driver = fmt.Sprintf("CUDA %s (%s)", d.version(), d.path)
		r.GPUs, err = d.list()
	}
	c, missing := loadCudnn(o.getenv, cuda)
	if missing == nil {
		r.CuDNN = fmt.Sprintf("%s (%s)", c.version(), c.path)
	}
	if err == nil { // without a GPU, a missing cuDNN is not worth a word
		err = missing
	}
	if err != nil {
		r.Missing = err.Error()
	}
	return r
}

func (d *driver) list() ([]GPU, error) {
	gpus, err := d.choose(nil)
	if err == nil && len(gpus) == 0 {
		err = fmt.Errorf("%w: the driver sees no GPU", extract.ErrNoDevice)
	}
	var list []GPU
	for _, g := range gpus {
		list = append(list, GPU{Name: g.name, Device: fmt.Sprintf("cuda:%d", g.ordinal), Capability: fmt.Sprintf("%d.%d", g.major, g.minor), Memory: uint64(g.memory)})
	}
	return list, err
}
