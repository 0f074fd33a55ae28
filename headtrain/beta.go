package headtrain

import "math"

// uniform returns one of the 2⁵² odd multiples of 2⁻⁵³ in (0, 1).
func (r *rng) uniform() float64 { return (float64(r.next()>>12) + 0.5) * 0x1p-52 }

// beta draws from Beta(a, a): above ½ by Ulrich's method, else by Jöhnk's, which
// takes at most 1.3 rounds there on average (Devroye, 1986, IX.4.3 and IX.3.5).
func (r *rng) beta(a float64) float64 {
	if a > 0.5 {
		u := exp(log(r.uniform()) * 2 / (2*a - 1))
		return 0.5 + float64(0.5*math.Sqrt(max(0, 1-u))*cosPi(r.uniform()))
	}
	for {
		x, y := log(r.uniform())/a, log(r.uniform())/a
		top := max(x, y)
		sum := top + log(exp(x-top)+exp(y-top)) // of ln(eˣ+eʸ)
		if sum <= 0 {
			return exp(x - sum)
		}
	}
}
