package judge

import (
	"math"
	"slices"
)

// Interval is a 95 % confidence interval of a share.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// z95 is how many standard deviations of a normal distribution hold 95 % of it.
const z95 = 1.959963984540054

// AccuracyInterval is Wilson's score interval of an accuracy, which is good for small
// numbers and for shares of 0 and 1 too (Brown, Cai and DasGupta, Interval estimation for
// a binomial proportion, Statistical Science 16, 2001). Right says of each row whether it
// is right, and there is at least one.
//
// Units, if it is not nil, has a number for each row, 0, 1 and so on without a gap: rows
// of the same number are alike, because they are of one patient, say, and tell less than as many rows on their
// own. They then count as the number of rows that would have the same variance as the
// units have (Franco, Little, Louis and Slud, Comparative study of confidence intervals
// for proportions in complex sample surveys, 2019).
func AccuracyInterval(right []bool, units []int) Interval {
	hits := 0
	for _, ok := range right {
		if ok {
			hits++
		}
	}
	p := ratio(hits, len(right))
	n := float64(len(right))
	if units != nil {
		n = effective(right, units, p)
	}
	z := float64(z95 * z95 / n)
	centre := (p + z/2) / (1 + z)
	half := math.Sqrt(float64(z*p*(1-p))+float64(z*z/4)) / (1 + z)
	return Interval{max(0, centre-half), min(1, centre+half)}
}

// effective is how many single rows tell as much of a share p as rows in units do: from 1
// to the number of rows.
func effective(right []bool, units []int, p float64) float64 {
	excess := make([]float64, slices.Max(units)+1) // of right rows of a unit over those expected
	for n, ok := range right {
		excess[units[n]] -= p
		if ok {
			excess[units[n]]++
		}
	}
	count := float64(len(excess))
	if p == 0 || p == 1 {
		return count // they are all alike, and say nothing of how alike rows of a unit are
	}
	if count == 1 {
		return 1
	}
	rows, sum := float64(len(right)), 0.0
	for _, e := range excess {
		sum += float64(e * e)
	}
	variance := sum * count / (count - 1) / (rows * rows)
	return max(1, min(rows, p*(1-p)/variance))
}
