package main

import (
	"os"
	"runtime/debug"

	"icebox/pipeline/features"
)

// garbage is how much garbage, in percent of what is in use, piles up before it is
// collected. Go's usual 100 doubles the 250 MB of the backbone's weights; nearly all of what
// is in use are numbers, which cost the collector nothing, so that 50 takes no longer.
const garbage = 50

// boundMemory keeps the heap within what the machine, or the control group of the process,
// has for it, unless Go's own variables say how (GOGC, GOMEMLIMIT).
func boundMemory(env func(string) string, available int64) {
	if env("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if env("GOMEMLIMIT") == "" && available > 0 {
		debug.SetMemoryLimit(available / 100 * 85) // the rest is for maps of files, stacks and other processes
	}
}

// availableMemory is what there is for this process, in bytes; 0 is unknown.
func availableMemory() int64 { return features.AvailableMemory(os.DirFS("/")) }
