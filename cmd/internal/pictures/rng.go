package pictures

import (
	"math"
	"math/rand/v2"
)

// rng makes the random choices of one picture.
type rng struct{ *rand.Rand }

// in returns a number from [lo, hi).
func (r rng) in(lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// between returns a whole number from lo to hi, both included.
func (r rng) between(lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// chance is true with probability p.
func (r rng) chance(p float64) bool { return r.Float64() < p }

// colour returns a colour anywhere in HSV space, seldom near black.
func (r rng) colour() rgb { return hsv(r.Float64(), math.Sqrt(r.Float64())*0.9, r.in(0.15, 1)) }

// against returns a colour that stands out from each of others, if only just.
func (r rng) against(others ...rgb) rgb {
	var best rgb
	far := -1.0
	for range 12 {
		c := r.colour()
		near := math.Inf(1)
		for _, o := range others {
			near = min(near, c.distance(o))
		}
		if near > far {
			best, far = c, near
		}
		if far > 0.3 {
			break
		}
	}
	return best
}

// paint returns a plain paint of c, or one that shades into a neighbour of c.
func (r rng) paint(c rgb) paint {
	p := paint{from: c, to: c, opacity: 1}
	if r.chance(0.6) {
		p.to = c.mix(r.colour(), r.in(0.1, 0.45))
	}
	angle := r.in(0, 2*math.Pi)
	p.dx, p.dy = math.Cos(angle), math.Sin(angle)
	return p
}
