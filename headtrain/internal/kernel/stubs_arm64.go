//go:build !purego

package kernel

// What they compute is said of forwardPortable and so on. Distances are in bytes.

//go:noescape
func forwardNEON(z, x, w *float32, xBytes, wBytes, features, cols int)

//go:noescape
func gradientNEON(grad, x, dz *float32, gBytes, xBytes, dzBytes, rows, fresh int)

//go:noescape
func gradient2NEON(grad, x, dz *float32, gBytes, xBytes, dzBytes, rows, fresh int)

//go:noescape
func affineNEON(dst, x, mean, scale *float32, n int, rowScale float32)

//go:noescape
func adamNEON(w, m, v, grad *float32, n int, s *AdamStep)

//go:noescape
func peakNEON(rounds int)
