//go:build purego || !amd64

package kernel

// Available returns the implementations that this machine runs, slowest first.
func Available() []ISA { return []ISA{Portable} }

func (ISA) affine(dst, x []float32, m AffineMap, rowScale float32, _ []float32) {
	affinePortable(dst, x, m, rowScale)
}

func (ISA) forward(z, x Matrix, params []float32) { forwardPortable(z, x, params) }

func (ISA) gradient(g []float32, x, dz Matrix, j, c int) { gradientPortable(g, x, dz, j, c) }

func (ISA) exp(e, z Matrix, top, sum []float32) { expPortable(e, z, top, sum) }

func (ISA) residual(e Matrix, a, q []float32) { residualPortable(e, a, q) }

func (ISA) adam(w, m, v, g []float32, s *AdamStep) { adamPortable(w, m, v, g, s) }

func (ISA) sgd(w, m, g []float32, s *SGDStep) { sgdPortable(w, m, g, s) }
