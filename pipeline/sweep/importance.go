package sweep

import (
	"cmp"
	"slices"
)

// AxisShare is the share of the metric's variance between points that the main
// effect of an axis explains.
type AxisShare struct {
	Axis  string  `json:"axis"`
	Share float64 `json:"share"`
}

// Importance says how much each axis matters, the most first: between-group sum of
// squares over the total, points grouped by the axis' value, or by ranges of it
// where it has many. Points that failed have no value and are left out.
func Importance(results []Result, axes []Axis, m Metric) []AxisShare {
	var points []Result
	mean := 0.0
	for _, p := range results {
		if !p.Failed() {
			points = append(points, p)
			mean += p.Score(m).Mean
		}
	}
	mean /= float64(len(points))
	total := 0.0
	for _, p := range points {
		total += sq(p.Score(m).Mean - mean)
	}
	shares := []AxisShare{}
	for _, a := range axes {
		share := AxisShare{Axis: a.Key}
		if total > 0 {
			for _, group := range grouped(points, a.Key) {
				sum := 0.0
				for _, p := range group {
					sum += p.Score(m).Mean - mean
				}
				share.Share += sum * sum / float64(len(group)) / total
			}
		}
		shares = append(shares, share)
	}
	slices.SortStableFunc(shares, func(a, b AxisShare) int { return cmp.Compare(b.Share, a.Share) })
	return shares
}

func sq(x float64) float64 { return x * x }

// manyValues is how many values of an axis are groups of their own. More of them
// are cut into ranges of at least perGroup points.
const (
	manyValues = 8
	perGroup   = 5
)

// grouped groups points by their value on an axis.
func grouped(points []Result, axis string) [][]Result {
	byValue := map[any][]Result{}
	for _, p := range points {
		byValue[p.Values[axis]] = append(byValue[p.Values[axis]], p)
	}
	var groups [][]Result
	if len(byValue) <= manyValues {
		for _, p := range points { // in an order that does not change
			if g := byValue[p.Values[axis]]; g != nil {
				groups = append(groups, g)
				delete(byValue, p.Values[axis])
			}
		}
		return groups
	}
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b Result) int { return cmp.Compare(number(a.Values[axis]), number(b.Values[axis])) })
	n := min(manyValues, max(2, len(sorted)/perGroup))
	for i := range n {
		lo, hi := i*len(sorted)/n, (i+1)*len(sorted)/n
		groups = append(groups, sorted[lo:hi])
	}
	return groups
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}
