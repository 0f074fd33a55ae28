package extract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Device says on what the backbone runs.
type Device struct {
	CPU bool  // on the CPU, whatever else there is
	GPU bool  // on GPUs; where there are none, not at all
	IDs []int // of GPUs, ascending; all if empty
}

// ParseDevice reads "auto" (also ""), "cpu", "cuda", "cuda:1" or "cuda:0,1". The
// error is a [Fault] of Options.Device.
func ParseDevice(s string) (Device, error) {
	switch s {
	case "", Auto:
		return Device{}, nil
	case "cpu":
		return Device{CPU: true}, nil
	case CUDA:
		return Device{GPU: true}, nil
	}
	kind, list, _ := strings.Cut(s, ":")
	d := Device{GPU: true}
	for _, part := range strings.Split(list, ",") {
		id, err := strconv.ParseUint(part, 10, 16)
		if err != nil || kind != CUDA || slices.Contains(d.IDs, int(id)) {
			return Device{}, Fault{"Device", fmt.Sprintf("%q is not known: choose auto, cpu, cuda (every GPU), cuda:1 or cuda:0,1", s)}
		}
		d.IDs = append(d.IDs, int(id))
	}
	slices.Sort(d.IDs)
	return d, nil
}
