package headtrain

import (
	"math"

	"icebox/headtrain/internal/rng"
)

// beta draws from Beta(a, a): by Ulrich's method if a is above ½, else by Jöhnk's,
// which then takes at most 1.3 rounds on average (Devroye, 1986, IX.4.3 and IX.3.5).
func beta(r *rng.Stream, a float64) float64 {
	if a > 0.5 {
		u := exp(log(r.Uniform()) * 2 / (2*a - 1))
		return 0.5 + float64(0.5*math.Sqrt(max(0, 1-u))*cosPi(r.Uniform()))
	}
	for {
		x, y := log(r.Uniform())/a, log(r.Uniform())/a
		top := max(x, y)
		sum := top + log(exp(x-top)+exp(y-top)) // of ln(eˣ+eʸ)
		if sum <= 0 {
			return exp(x - sum)
		}
	}
}
