package judge

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The values are those of SciPy 1.17.1: binomtest(k, n).proportion_ci(method="wilson").
func TestIntervalsAreThoseOfSciPy(t *testing.T) {
	for _, c := range []struct {
		hits, rows int
		low, high  float64
	}{
		{0, 10, 0, 0.27753279986288926},
		{7, 10, 0.39677814746114526, 0.892208732593699},
		{10, 10, 0.7224672001371109, 1},
		{952, 1000, 0.936933911349866, 0.963606698979192},
		{45000, 50000, 0.8973396245233602, 0.9025989168573239},
	} {
		right := make([]bool, c.rows)
		for n := range c.hits {
			right[n] = true
		}
		i := AccuracyInterval(right, nil)
		if !(math.Abs(i.Low-c.low) <= 1e-9) || !(math.Abs(i.High-c.high) <= 1e-9) {
			t.Errorf("%d of %d: %v, want %v to %v", c.hits, c.rows, i, c.low, c.high)
		}
	}
}

// Groups whose rows are all alike count once, those whose rows are not count by row.
func TestIntervalsCountWhatIsAlikeOnce(t *testing.T) {
	const rows, size = 1000, 10
	alike, mixed, once, units := make([]bool, rows), make([]bool, rows), make([]bool, rows/size), make([]int, rows)
	r := rand.New(rand.NewPCG(1, 2))
	for n := range rows {
		units[n] = n / size
		alike[n], mixed[n] = n/size%5 != 0, r.IntN(5) != 0
		once[n/size] = alike[n]
	}
	of := func(i Interval) float64 { return i.High - i.Low }
	if got, want := of(AccuracyInterval(alike, units)), of(AccuracyInterval(once, nil)); !(math.Abs(got-want) <= 0.01*want) {
		t.Errorf("groups that are alike: %v wide, as many rows %v", got, want)
	}
	if got, want := of(AccuracyInterval(mixed, units)), of(AccuracyInterval(mixed, nil)); !(got >= want && got <= 1.3*want) {
		t.Errorf("groups that are not: %v wide, rows %v", got, want)
	}
	// All right: as sure as the number of groups allows.
	all := make([]bool, rows)
	for n := range all {
		all[n] = true
	}
	if i := AccuracyInterval(all, units); i.High != 1 || i != AccuracyInterval(all[:rows/size], nil) {
		t.Errorf("all right: %v", i)
	}
	if i := AccuracyInterval(alike, make([]int, rows)); of(i) < 0.7 {
		t.Errorf("one group says nearly nothing: %v", i)
	}
}

// Nineteen of twenty intervals hold the true share.
func TestIntervalsHoldTheTruth(t *testing.T) {
	const rounds, rows, size, share = 400, 200, 4, 0.9
	r, held := rand.New(rand.NewPCG(3, 4)), 0
	right, units := make([]bool, rows), make([]int, rows)
	for range rounds {
		for n := range right {
			units[n] = n / size
			right[n] = r.Float64() < share
			if n%size > 0 && r.Float64() < 0.7 { // as the first of its group is
				right[n] = right[n-n%size]
			}
		}
		if i := AccuracyInterval(right, units); i.Low <= share && share <= i.High {
			held++
		}
	}
	if held < rounds*92/100 || held > rounds*98/100 {
		t.Errorf("%d of %d hold it", held, rounds)
	}
}

func BenchmarkAccuracyInterval(b *testing.B) {
	right, units := make([]bool, 50_000), make([]int, 50_000)
	for n := range right {
		right[n], units[n] = n%7 != 0, n/3
	}
	for b.Loop() {
		AccuracyInterval(right, units)
	}
}
