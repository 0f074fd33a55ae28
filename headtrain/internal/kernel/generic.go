package kernel

import "math"

func affinePortable(dst, x []float32, m AffineMap, rowScale float32) {
	for j, v := range x {
		dst[j] = float32(float32(v-m.Mean[j])*m.Scale[j]) * rowScale
	}
}

func forwardPortable(z, x Matrix, params []float32) {
	d := x.Cols
	for c := 0; c < z.Cols; c += Lane {
		tile := params[c*Rows(d):][:Rows(d)*Lane]
		bias := (*[Lane]float32)(tile[d*Lane:])
		for r := range z.Rows {
			acc := *bias
			for j, v := range x.Row(r) {
				fmaLanes(&acc, v, (*[Lane]float32)(tile[j*Lane:]))
			}
			copy(z.Row(r)[c:], acc[:])
		}
	}
}

func gradientPortable(g []float32, x, dz Matrix, j, c int) {
	for lo := 0; lo < x.Rows; lo += ChunkRows {
		var acc [Lane * Lane]float32
		for r := lo; r < min(lo+ChunkRows, x.Rows); r++ {
			xr := (*[Lane]float32)(x.Data[r*x.Stride+j:])
			dr := (*[Lane]float32)(dz.Data[r*dz.Stride+c:])
			for f, v := range xr {
				fmaLanes((*[Lane]float32)(acc[f*Lane:]), v, dr)
			}
		}
		for i, v := range acc {
			g[i] += v
		}
	}
}

func expPortable(e, z Matrix, top, sum []float32) {
	for r := range z.Rows {
		in, out := z.Row(r), e.Row(r)
		peak := *(*[Lane]float32)(in)
		for c := Lane; c < len(in); c += Lane {
			for l, v := range in[c : c+Lane] {
				peak[l] = larger(peak[l], v)
			}
		}
		for w := Lane / 2; w > 0; w /= 2 {
			for l := range w {
				peak[l] = larger(peak[l], peak[l+w])
			}
		}
		var s [Lane]float32
		for c, v := range in {
			out[c] = exp32(v - peak[0])
			s[c%Lane] += out[c]
		}
		for w := Lane / 2; w > 0; w /= 2 {
			for l := range w {
				s[l] += s[l+w]
			}
		}
		top[r], sum[r] = peak[0], s[0]
	}
}

// larger is MAXPS: the second operand if either is NaN.
func larger(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}

// The exponential: exp(x) = 2ⁿ·exp(r) with n the integer nearest x/ln 2, and
// exp(r) its Taylor polynomial; |r| ≤ ln(2)/2, where the term left out,
// r⁸/8!, is below 6e-9. Adding shift leaves n in the low bits of the sum.
// ln 2 is split so that n·ln2High is exact.
const (
	log2E     = 1.44269504088896340735992468100189214
	shift     = 0x1.8p23
	ln2High   = 0.693359375
	ln2Low    = 0.693147180559945309417232121458176568 - ln2High
	expCutoff = -87 // below it the result counts as 0, and stays clear of subnormals
)

// exp32 returns exp(x) for x ≤ 0 within 2 units in the last place, by
// operations that round alike everywhere.
func exp32(x float32) float32 {
	if x < expCutoff {
		return 0
	}
	t := float32(x*log2E) + shift
	n := float32(t - shift)
	r := x - float32(n*ln2High)
	r -= float32(n * ln2Low)
	p := float32(1) / 5040
	p = float32(p*r) + float32(1)/720
	p = float32(p*r) + float32(1)/120
	p = float32(p*r) + float32(1)/24
	p = float32(p*r) + float32(1)/6
	p = float32(p*r) + float32(1)/2
	p = float32(p*r) + 1
	p = float32(p*r) + 1
	return p * math.Float32frombits(math.Float32bits(t)<<23+math.Float32bits(1))
}

func residualPortable(e Matrix, a, q []float32) {
	for r := range e.Rows {
		row := e.Row(r)
		for c, v := range row {
			row[c] = float32(a[r]*v) - q[c]
		}
	}
}

func adamPortable(w, m, v, g []float32, s *AdamStep) {
	for i := range w {
		grad := g[i] + float32(s.L2*w[i])
		m[i] += float32(s.KeepM * (grad - m[i]))
		v[i] = float32(s.Beta2*v[i]) + float32(float32(s.KeepV*grad)*grad)
		root := float32(math.Sqrt(float64(v[i])))
		denom := float32(root*s.InvRoot) + s.Eps
		w[i] = float32(w[i]*s.Decay) - float32(s.Rate*m[i])/denom
	}
}

func sgdPortable(w, m, g []float32, s *SGDStep) {
	for i := range w {
		grad := g[i] + float32(s.L2*w[i])
		m[i] = float32(s.Momentum*m[i]) + grad
		step := float32(s.OfGrad*grad) + float32(s.OfBuffer*m[i])
		w[i] -= float32(s.Rate * step)
	}
}
