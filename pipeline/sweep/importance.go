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

// Importance says how much each axis matters, the most first. It fits the sum of an effect
// of each axis to the points by least squares, where an axis has an effect for each of its
// values, or for ranges of them where it has many, and gives each axis its share of what
// that explains: the covariance of its effect with the metric over the variance of the
// metric. In a full grid that is the sum of squares between its values over the total; the
// shares never add up to more than 1. Points that failed have no value and are left out.
// It returns nil where there are too few points for so many effects.
func Importance(results []Result, axes []Axis, m Metric) []AxisShare {
	var points []Result
	for _, p := range results {
		if !p.Failed() {
			points = append(points, p)
		}
	}
	f := &additive{residual: make([]float64, len(points))}
	for _, a := range axes {
		f.groups = append(f.groups, grouped(points, a.Key))
	}
	if len(points) == 0 || !f.known(len(points)) {
		return nil
	}
	for n, p := range points {
		f.residual[n] = p.Score(m).Mean
	}
	total := f.centre()
	centred := slices.Clone(f.residual)
	f.fit()
	shares, sum := make([]AxisShare, len(axes)), 0.0
	for i, a := range axes {
		shares[i].Axis = a.Key
		if total > 0 {
			shares[i].Share = max(0, f.covariance(i, centred)/total)
		}
		sum += shares[i].Share
	}
	for i := range shares { // an effect below 0 leaves more than 1 to the others
		shares[i].Share /= max(1, sum)
	}
	slices.SortStableFunc(shares, func(a, b AxisShare) int { return cmp.Compare(b.Share, a.Share) })
	return shares
}

// additive is a model of points: the sum of an effect of each axis, which has one value
// for each of its groups of points.
type additive struct {
	groups   [][][]int   // by axis, points by group
	effects  [][]float64 // by axis and group
	residual []float64   // by point
}

// known reports whether n points tell the effects: they are every combination of groups,
// or at least twice as many as the effects that are free.
func (f *additive) known(n int) bool {
	free, all, place := 0, 1, make([]int, n)
	for _, groups := range f.groups {
		for g, points := range groups {
			for _, i := range points {
				place[i] += g * all
			}
		}
		free += len(groups) - 1
		all *= len(groups)
	}
	slices.Sort(place)
	return len(slices.Compact(place)) == all || n-1 >= 2*free
}

// centre takes the mean off the residuals and returns the sum of their squares.
func (f *additive) centre() float64 {
	mean, total := 0.0, 0.0
	for _, v := range f.residual {
		mean += v / float64(len(f.residual))
	}
	for n := range f.residual {
		f.residual[n] -= mean
		total += f.residual[n] * f.residual[n]
	}
	return total
}

// rounds is how often the effects are fitted to each other: in a grid once does.
const rounds = 100

// fit fits one axis after the other to what the others leave.
func (f *additive) fit() {
	for _, g := range f.groups {
		f.effects = append(f.effects, make([]float64, len(g)))
	}
	for range rounds {
		for a, groups := range f.groups {
			for g, points := range groups {
				change := 0.0
				for _, n := range points {
					change += f.residual[n] / float64(len(points))
				}
				f.effects[a][g] += change
				for _, n := range points {
					f.residual[n] -= change
				}
			}
		}
	}
}

// covariance is that of an axis' effect and values of the points, times their number.
func (f *additive) covariance(axis int, values []float64) float64 {
	sum := 0.0
	for g, points := range f.groups[axis] {
		for _, n := range points {
			sum += f.effects[axis][g] * values[n]
		}
	}
	return sum
}

// manyValues is how many values of an axis are groups of their own, if they have two
// points each. More of them are cut into ranges of at least perGroup points.
const (
	manyValues = 8
	perGroup   = 5
)

// grouped groups points by their value on an axis.
func grouped(points []Result, axis string) [][]int {
	var values []any
	byValue, numbers := map[any][]int{}, true
	for n, p := range points {
		v := p.Values[axis]
		if byValue[v] == nil {
			values = append(values, v) // in an order that does not change
		}
		byValue[v] = append(byValue[v], n)
		_, ok := number(v)
		numbers = numbers && ok
	}
	var groups [][]int
	if few := len(values) <= manyValues && 2*len(values) <= len(points); few || !numbers {
		for _, v := range values {
			groups = append(groups, byValue[v])
		}
		return groups
	}
	slices.SortStableFunc(values, func(a, b any) int {
		x, _ := number(a)
		y, _ := number(b)
		return cmp.Compare(x, y)
	})
	var sorted []int
	for _, v := range values {
		sorted = append(sorted, byValue[v]...)
	}
	n := min(manyValues, max(2, len(sorted)/perGroup), len(values))
	for i := range n {
		groups = append(groups, sorted[i*len(sorted)/n:(i+1)*len(sorted)/n])
	}
	return groups
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}
