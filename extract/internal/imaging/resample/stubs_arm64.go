//go:build !purego

package resample

// See alongPortable and acrossPortable for what they compute.

//go:noescape
func alongNEON(a *alongArgs)

//go:noescape
func acrossNEON(a *acrossArgs)
