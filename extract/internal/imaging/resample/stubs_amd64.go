//go:build !purego

package resample

// See alongPortable and acrossPortable for what they compute.

//go:noescape
func alongAVX2(a *alongArgs)

//go:noescape
func alongAVX512(a *alongArgs)

//go:noescape
func acrossAVX2(a *acrossArgs)

//go:noescape
func acrossAVX512(a *acrossArgs)
