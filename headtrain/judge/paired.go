package judge

import "math"

// Paired compares two heads on the same rows.
type Paired struct {
	Rows  int `json:"rows"`
	OnlyA int `json:"only_a"` // rows that a alone gets right
	OnlyB int `json:"only_b"`

	// Difference is the accuracy of b less that of a; Low to High is its interval of 95 %,
	// by the adjusted Wald method: half a row is added to each of the four counts (Agresti
	// and Min, Simple improved confidence intervals for comparing matched proportions,
	// Statistics in Medicine 24, 2005).
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`

	// P is the chance of a difference as large as this or larger, if both heads were
	// equally good: that of the exact test of McNemar, on both sides.
	P float64 `json:"p"`
}

// ByChance reports whether chance alone may well explain the difference: P is above 5 %.
func (p Paired) ByChance() bool { return p.P > 0.05 }

// Compare judges two heads by which rows each gets right, which are equally many.
func Compare(a, b []bool) Paired {
	p := Paired{Rows: len(a), P: 1}
	for i := range a {
		switch {
		case a[i] && !b[i]:
			p.OnlyA++
		case b[i] && !a[i]:
			p.OnlyB++
		}
	}
	if p.Rows == 0 {
		return p
	}
	p.Difference = float64(p.OnlyB-p.OnlyA) / float64(p.Rows)
	n, onlyA, onlyB := float64(p.Rows)+2, float64(p.OnlyA)+0.5, float64(p.OnlyB)+0.5
	middle := (onlyB - onlyA) / n
	half := 1.959964 * math.Sqrt((onlyA+onlyB)/n-middle*middle) / math.Sqrt(n)
	p.Low, p.High = max(middle-half, -1), min(middle+half, 1)
	p.P = signTest(p.OnlyA, p.OnlyB)
	return p
}

// signTest is the chance that of a+b throws of a coin as few as the smaller of a and b, or
// fewer, show one side, whichever that is.
func signTest(a, b int) float64 {
	n, least := a+b, min(a, b)
	logs := func(k int) float64 { // of the chance of k of n
		x, _ := math.Lgamma(float64(n + 1))
		y, _ := math.Lgamma(float64(k + 1))
		z, _ := math.Lgamma(float64(n - k + 1))
		return x - y - z - float64(n)*math.Ln2
	}
	sum := 0.0
	for k := 0; k <= least; k++ {
		sum += math.Exp(logs(k))
	}
	return min(2*sum, 1)
}
