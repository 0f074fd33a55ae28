package judge

import (
	"math/rand/v2"
	"slices"
)

// Interval is a 95 % confidence interval of a share.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// bootstrapDraws bounds the rows that a bootstrap draws in all.
const bootstrapDraws = 40_000_000

// Bootstrap returns the percentile interval of an accuracy. Right says of each row
// whether it is right; units are the rows, by index, that are drawn together with
// replacement: single rows, or whole groups where rows of a group are alike. It depends
// on the units and the seed alone.
func Bootstrap(units [][]int, right []bool, seed uint64) Interval {
	hits := make([]int, len(units))
	for u, rows := range units {
		for _, n := range rows {
			if right[n] {
				hits[u]++
			}
		}
	}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	rates := make([]float64, min(2000, max(200, bootstrapDraws/len(units))))
	for i := range rates {
		sum, rows := 0, 0
		for range units {
			u := int(rng.Uint64N(uint64(len(units))))
			sum += hits[u]
			rows += len(units[u])
		}
		rates[i] = float64(sum) / float64(rows)
	}
	slices.Sort(rates)
	at := func(q float64) float64 { return rates[int(q*float64(len(rates)-1)+0.5)] }
	return Interval{at(0.025), at(0.975)}
}
