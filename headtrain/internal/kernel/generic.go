package kernel

import "math"

func affinePortable(dst, x []float32, m AffineMap, rowScale float32) {
	for j, v := range x {
		dst[j] = float32(float32(v-m.Mean[j])*m.Scale[j]) * rowScale
	}
}

func transposePortable(dst, x []float32, stride, cols int) {
	for r := range Block {
		for j, v := range x[r*stride : r*stride+cols] {
			dst[j*Block+r] = v
		}
	}
}

func forwardPortable(z, x []float32, xStride int, w []float32, stride, d, cols int) {
	for c := range cols {
		class := w[c*stride : c*stride+d+1]
		for r := range Block {
			z[c*Block+r] = dotPortable(x[r*xStride:r*xStride+d], class)
		}
	}
}

// dotPortable is the sum of x times w with the bias, which lies behind w.
func dotPortable(x, w []float32) float32 {
	d := len(x)
	s := [Lane]float32{w[d]}
	f := 0
	for ; f+Lane <= d; f += Lane {
		fmaLanes(&s, (*[Lane]float32)(x[f:]), (*[Lane]float32)(w[f:]))
	}
	if f < d {
		var a, b [Lane]float32
		copy(a[:], x[f:])
		copy(b[:], w[f:d])
		fmaLanes(&s, &a, &b)
	}
	for apart := Lane / 2; apart > 0; apart /= 2 {
		for l := range apart {
			s[l] += s[l+apart]
		}
	}
	return s[0]
}

func gradientPortable(g []float32, gStride int, x []float32, xStride int, dz []float32, dzStride, rows, cols int, fresh bool) {
	for c := range cols {
		var acc [Block]float32
		for r := range rows {
			var v [Lane]float32
			for l := range v {
				v[l] = dz[r/Block*dzStride+c*Block+r%Block]
			}
			row := x[r*xStride:]
			fmaLanes((*[Lane]float32)(acc[:Lane]), &v, (*[Lane]float32)(row[:Lane]))
			fmaLanes((*[Lane]float32)(acc[Lane:]), &v, (*[Lane]float32)(row[Lane:]))
		}
		sumPortable(g[c*gStride:][:Block], acc[:], 0, 1, fresh)
	}
}

func biasPortable(g []float32, gStride int, dz []float32, dzStride, blocks, cols int) {
	for c := range cols {
		var s [Block]float32
		for b := range blocks {
			for r, v := range dz[b*dzStride+c*Block:][:Block] {
				s[r] += v
			}
		}
		for w := Block / 2; w > 0; w /= 2 {
			for l := range w {
				s[l] += s[l+w]
			}
		}
		g[c*gStride] += s[0]
	}
}

func sumPortable(dst, src []float32, stride, n int, fresh bool) {
	if fresh {
		clear(dst)
	}
	for s := range n {
		for i, v := range src[s*stride:][:len(dst)] {
			dst[i] += v
		}
	}
}

func lerpPortable(dst, src []float32, share float32) {
	for i, v := range src {
		dst[i] += float32(share * (v - dst[i]))
	}
}

func softmaxPortable(z []float32, classes int, labels *[Block]int32, t *LossTable, out *Judged, learn bool) {
	for r, y := range labels {
		top, best := z[r], 0
		for c := range classes {
			if v := z[c*Block+r]; v > top {
				top, best = v, c
			}
		}
		gap := top - z[int(y)*Block+r]
		var sum, spread float32
		for c := range classes {
			x := z[c*Block+r] - top
			spread += float32(t.Spread[c] * x)
			e := exp32(x)
			sum += e
			z[c*Block+r] = e
		}
		log := log32(sum)
		hot := t.Hot[y]
		out.Loss[r] = float32(hot*(gap+log)) + (float32(t.Total*log) - spread)
		out.Sum[r], out.Best[r] = sum, int32(best)
		if !learn {
			continue
		}
		a := t.Soft[y] / sum
		for c := range classes {
			z[c*Block+r] = float32(a*z[c*Block+r]) - t.Spread[c]
		}
		z[int(y)*Block+r] -= hot
	}
}

func peakPortable(rounds int) (flops float64) {
	var acc, v, w [Lane]float32
	for range rounds {
		fmaLanes(&acc, &v, &w)
	}
	return float64(rounds) * Lane * 2
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

// The logarithm, after FreeBSD's logf: x = 2ᵉ·(1+f) with 1+f in [√½, √2), and
// ln(1+f) = f - f²/2 + s·(f²/2 + R) with s = f/(2+f) and R a polynomial in s².
const (
	rootHalf = 0x3f3504f3 // √½, as bits
	mantissa = 1<<23 - 1
	logLn2Hi = 0x1.62e3p-1
	logLn2Lo = 0x1.2fefa2p-17
	logTerm1 = 0xaaaaaa.0p-24
	logTerm2 = 0xccce13.0p-25
	logTerm3 = 0x91e9ee.0p-25
	logTerm4 = 0xf89e26.0p-26
)

// log32 returns ln x for a positive, normal, finite x, within a unit in the
// last place, by operations that round alike everywhere; NaN gives NaN.
func log32(x float32) float32 {
	u := int32(math.Float32bits(x)) - rootHalf
	e := float32(u >> 23)
	f := math.Float32frombits(uint32(u&mantissa+rootHalf)) - 1
	s := f / (2 + f)
	q := float32(s * s)
	w := float32(q * q)
	t1 := float32(w * (logTerm2 + float32(w*logTerm4)))
	t2 := float32(q * (logTerm1 + float32(w*logTerm3)))
	half := float32(float32(f*0.5) * f)
	log := float32(s*(half+(t2+t1))) + float32(e*logLn2Lo)
	log = ((log - half) + f) + float32(e*logLn2Hi)
	return log + (x - x)
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
