//go:build !purego

package kernel

// The loops are those of generic.go, as in the assembly for amd64.

//go:noescape
func gemmNEON(a *gemmArgs)

//go:noescape
func gemmHalfNEON(a *gemmArgs)

//go:noescape
func inputF4NEON(a *inputArgs)

//go:noescape
func inputF6NEON(a *inputArgs)

//go:noescape
func inputF7NEON(a *inputArgs)

//go:noescape
func inputF9NEON(a *inputArgs)

//go:noescape
func inputF5S2NEON(a *inputArgs)

//go:noescape
func inputF1S2NEON(a *inputArgs)

//go:noescape
func outputF4NEON(a *outputArgs)

//go:noescape
func outputF4AddNEON(a *outputArgs)

//go:noescape
func outputF6NEON(a *outputArgs)

//go:noescape
func outputF6AddNEON(a *outputArgs)

//go:noescape
func outputF7NEON(a *outputArgs)

//go:noescape
func outputF9NEON(a *outputArgs)

//go:noescape
func outputF9AddNEON(a *outputArgs)

//go:noescape
func outputF5NEON(a *outputArgs)

//go:noescape
func outputF1NEON(a *outputArgs)

//go:noescape
func maxPoolNEON(a *poolArgs)

//go:noescape
func fmaNEON(a *fmaArgs)
