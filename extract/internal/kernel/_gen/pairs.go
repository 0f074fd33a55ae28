package main

// pairs are the points of a scheme: 0, if zero is set; then p and -p for each p; then ∞.
// They are those of kernel's scheme.go.
type pairs struct {
	zero bool
	p    []float32
}

var (
	pairs43 = pairs{true, []float32{0.6875, 1.5}}
	pairs42 = pairs{false, []float32{0.5, 1.25}}
)

// outputs4 is the number of outputs of every scheme of pairs.
const outputs4 = 4

// product returns the coefficients, that of the highest power first, of the product over
// all p but the one left out of (x² - p²), as a polynomial in x². Nothing is left out at -1.
func (s pairs) product(without int) []float32 {
	c := []float32{1}
	for i, p := range s.p {
		if i == without {
			continue
		}
		next := append(append([]float32(nil), c...), 0)
		for k, x := range c {
			next[k+1] -= x * p * p
		}
		c = next
	}
	return c
}

// first is where the pixels of the pairs begin.
func (s pairs) first() int {
	if s.zero {
		return 1
	}
	return 0
}

// input is Bᵀ; that of the finite points alone if d has no pixel for ∞. The row of a point is
// the product of x - q over the other finite points q; that of p is that of -p but for a sign.
func (s pairs) input(a lanes[vec], d []vec) []vec {
	// polynomial puts pixels from i on, two apart, for the powers of x².
	polynomial := func(c []float32, i int) vec {
		last := len(c) - 1
		sum := d[i+2*last]
		for k := 1; k <= last; k++ {
			sum = a.fma(c[k], d[i+2*(last-k)], sum)
		}
		return sum
	}
	var out []vec
	all := s.product(-1)
	if s.zero {
		out = append(out, polynomial(all, 0))
	}
	z := s.first()
	for i, p := range s.p {
		c := s.product(i)
		low, high := polynomial(c, z), polynomial(c, z+1)
		out = append(out, a.fma(p, low, high), a.fma(-p, low, high))
	}
	if len(d) > len(out) {
		out = append(out, polynomial(all, z))
	}
	return out
}

// inputConstants are those that input takes.
func (s pairs) inputConstants() []float32 {
	c := append([]float32(nil), s.product(-1)[1:]...)
	for i, p := range s.p {
		c = append(append(c, s.product(i)[1:]...), p, -p)
	}
	return c
}

// output is Aᵀ: row y holds the powers p^y; the point at ∞ is in the last row alone.
func (s pairs) output(a lanes[vec], m []vec) []vec {
	z := s.first()
	var sum, difference []vec
	for i := range s.p {
		plus, minus := m[z+2*i], m[z+2*i+1]
		sum, difference = append(sum, a.add(plus, minus)), append(difference, a.sub(plus, minus))
	}
	out := make([]vec, outputs4)
	for y := range out {
		terms := sum
		if y%2 == 1 {
			terms = difference
		}
		var v vec
		switch {
		case y == 0 && s.zero:
			v = a.add(m[0], terms[0])
		case y == 0:
			v = terms[0]
		case y == outputs4-1:
			v = a.fma(power(s.p[0], y), terms[0], m[len(m)-1])
		default:
			v = a.scale(power(s.p[0], y), terms[0])
		}
		for i, t := range terms[1:] {
			if y == 0 {
				v = a.add(v, t)
			} else {
				v = a.fma(power(s.p[i+1], y), t, v)
			}
		}
		out[y] = v
	}
	return out
}

// outputConstants are those that output takes.
func (s pairs) outputConstants() []float32 {
	var c []float32
	for _, p := range s.p {
		for y := 1; y < outputs4; y++ {
			c = append(c, power(p, y))
		}
	}
	return c
}

func power(p float32, n int) float32 {
	x := float32(1)
	for range n {
		x *= p
	}
	return x
}
