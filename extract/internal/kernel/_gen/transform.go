package main

// The one-dimensional transforms, factored. They compute the products with the
// matrices of kernel's scheme.go, in the same order of operations at any width.

// lanes does arithmetic on vectors in registers V, lane by lane.
type lanes[V any] interface {
	add(x, y V) V
	sub(x, y V) V
	fma(c float32, x, y V) V // c·x + y with one rounding
	scale(c float32, x V) V  // c·x
}

// same is the transform of a single point.
func same[V any](_ lanes[V], d []V) []V { return d }

// input4 is Bᵀ of points 0, 1, -1, ∞.
func input4[V any](a lanes[V], d []V) []V {
	return []V{a.sub(d[0], d[2]), a.add(d[1], d[2]), a.sub(d[2], d[1]), a.sub(d[3], d[1])}
}

// input6 is Bᵀ of points 0, 1, -1, 2, -2, ∞.
func input6[V any](a lanes[V], d []V) []V {
	even := a.fma(-4, d[2], d[4])
	odd := a.fma(-4, d[1], d[3])
	evenNear := a.sub(d[4], d[2])
	oddNear := a.sub(d[3], d[1])
	return []V{
		a.fma(4, d[0], a.fma(-5, d[2], d[4])),
		a.add(even, odd),
		a.sub(even, odd),
		a.fma(2, oddNear, evenNear),
		a.fma(-2, oddNear, evenNear),
		a.fma(4, d[1], a.fma(-5, d[3], d[5])),
	}
}

// input7 is Bᵀ of points 0, 1, -1, 2, -2, 1/2, ∞.
func input7[V any](a lanes[V], d []V) []V {
	var g [5]V // g[i] = d[i+2] - 4d[i]
	for i := range g {
		g[i] = a.fma(-4, d[i], d[i+2])
	}
	h1, h2, h3 := a.sub(d[3], d[1]), a.sub(d[4], d[2]), a.sub(d[5], d[3]) // h[i] = d[i+2] - d[i]
	half := a.sub(g[3], g[1])
	difference, sum := a.sub(h3, h1), a.add(h3, h1)
	return []V{
		a.fma(2, half, a.sub(g[0], g[2])),
		a.fma(2, g[3], a.sub(g[2], g[1])),
		a.fma(-3, g[2], a.fma(2, g[3], g[1])),
		a.fma(3, h2, a.add(difference, difference)),
		a.fma(-5, h2, a.add(sum, sum)),
		half,
		a.fma(-0.5, half, a.sub(g[4], g[2])),
	}
}

// input9 is Bᵀ of points ±1, ±2, ±1/2, ±1/4, ∞.
func input9[V any](a lanes[V], d []V) []V {
	// Row ±p is (x ± p) times the product of x² - q² over the other q: by parity, with
	// a factor for two of the q at a time.
	near := func(i int) V { return a.fma(4, d[i], a.fma(-5, d[i+2], d[i+4])) }            // ±1, ±2
	far := func(i int) V { return a.fma(0.015625, d[i], a.fma(-0.3125, d[i+2], d[i+4])) } // ±1/2, ±1/4
	others := func(i int, n0, n1 V) [4]V {
		f0, f1 := far(i), far(i+2)
		return [4]V{a.fma(-4, f0, f1), a.sub(f1, f0), a.fma(-0.0625, n0, n1), a.fma(-0.25, n0, n1)}
	}
	n0, n2, n4 := near(0), near(2), near(4)
	infinity := a.fma(0.015625, n0, a.fma(-0.3125, n2, n4))
	even := others(0, n0, n2)
	odd := others(1, near(1), near(3))
	return []V{
		a.add(odd[0], even[0]), a.sub(odd[0], even[0]),
		a.fma(2, even[1], odd[1]), a.fma(-2, even[1], odd[1]),
		a.fma(0.5, even[2], odd[2]), a.fma(-0.5, even[2], odd[2]),
		a.fma(0.25, even[3], odd[3]), a.fma(-0.25, even[3], odd[3]),
		infinity,
	}
}

// input5 is Bᵀ of points 0, 1, -1, 2, ∞; of the first four alone if d has four.
func input5[V any](a lanes[V], d []V) []V {
	far := a.sub(d[3], d[1])
	out := []V{
		a.fma(2, a.sub(d[0], d[2]), far), // 2d0 - d1 - 2d2 + d3
		a.sub(a.sub(d[3], d[2]), a.add(d[1], d[1])),
		a.fma(2, d[1], a.fma(-3, d[2], d[3])),
		far,
	}
	if len(d) == 5 {
		out = append(out, a.fma(-2, far, a.sub(d[4], d[2])))
	}
	return out
}

// output4to2 is Aᵀ of F(2,3).
func output4to2[V any](a lanes[V], m []V) []V {
	return []V{a.add(m[0], a.add(m[1], m[2])), a.add(a.sub(m[1], m[2]), m[3])}
}

// output6to4 is Aᵀ of F(4,3).
func output6to4[V any](a lanes[V], m []V) []V {
	s, d := a.add(m[1], m[2]), a.sub(m[1], m[2])
	u, v := a.add(m[3], m[4]), a.sub(m[3], m[4])
	return []V{
		a.add(a.add(m[0], s), u),
		a.fma(2, v, d),
		a.fma(4, u, s),
		a.fma(8, v, a.add(d, m[5])),
	}
}

// output7to4 is Aᵀ of F(4,4).
func output7to4[V any](a lanes[V], m []V) []V {
	s, d := a.add(m[1], m[2]), a.sub(m[1], m[2])
	u, v := a.add(m[3], m[4]), a.sub(m[3], m[4])
	return []V{
		a.add(a.add(m[0], m[5]), a.add(s, u)),
		a.fma(0.5, m[5], a.fma(2, v, d)),
		a.fma(0.25, m[5], a.fma(4, u, s)),
		a.fma(0.125, m[5], a.fma(8, v, a.add(d, m[6]))),
	}
}

// output9to7 is Aᵀ of F(7,3).
func output9to7[V any](a lanes[V], m []V) []V {
	var s, d [4]V // of points ±1, ±2, ±1/2, ±1/4
	for i := range s {
		s[i], d[i] = a.add(m[2*i], m[2*i+1]), a.sub(m[2*i], m[2*i+1])
	}
	// power is x0 + 2ⁿ·x1 + 2⁻ⁿ·x2 + 4⁻ⁿ·x3.
	power := func(n int, x [4]V, x0 V) V {
		p := float32(int(1) << n)
		return a.fma(1/(p*p), x[3], a.fma(1/p, x[2], a.fma(p, x[1], x0)))
	}
	y0 := a.add(a.add(s[0], s[1]), a.add(s[2], s[3]))
	y2 := power(2, s, s[0])
	y4 := power(4, s, s[0])
	y6 := power(6, s, a.add(s[0], m[8]))
	y1 := power(1, d, d[0])
	y3 := power(3, d, d[0])
	return []V{y0, y1, y2, y3, y4, power(5, d, d[0]), y6}
}

// output5to4 is Aᵀ of F(4,2).
func output5to4[V any](a lanes[V], m []V) []V {
	s, d := a.add(m[1], m[2]), a.sub(m[1], m[2])
	return []V{
		a.add(a.add(m[0], m[3]), s),
		a.fma(2, m[3], d),
		a.fma(4, m[3], s),
		a.fma(8, m[3], a.add(d, m[4])),
	}
}
