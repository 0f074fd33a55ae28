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
func sgdNEON(w, m, grad *float32, n int, s *SGDStep)

//go:noescape
func lerpNEON(dst, src *float32, n int, share float32)

//go:noescape
func sumNEON(dst, src *float32, n, srcBytes, summands, fresh int)

//go:noescape
func biasNEON(grad, dz *float32, gBytes, dzBytes, blocks, cols int)

//go:noescape
func softmaxNEON(z *float32, labels *int32, t *LossTable, out *Judged, terms *float32, classes int, learn bool)

//go:noescape
func peakNEON(rounds int)
