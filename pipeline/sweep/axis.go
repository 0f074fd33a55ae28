package sweep

import (
	"math"
	"slices"
	"strconv"

	"icebox/headtrain"
)

// Axis is one option of a sweep and the values it takes: either Values, or a range.
type Axis struct {
	Key    string    // one of Keys
	Values []any     // float64, int or string, or a WeightMap
	Log    []float64 // {low, high}, logarithmic
	Lin    []float64 // {low, high}, linear
	Steps  int       // points of a range in a grid
}

// size is the most values that a has in a grid.
func (a Axis) size() int {
	if len(a.Values) > 0 {
		return len(a.Values)
	}
	return a.Steps
}

// grid lists the values of a, each once.
func (a Axis) grid() []any {
	values := a.Values
	if len(values) == 0 {
		for i := range a.Steps {
			values = append(values, a.at(float64(i)/float64(a.Steps-1)))
		}
	}
	var once []any
	for _, v := range values {
		if v = a.value(v); !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return once
}

// at is the value that lies at share t of a range.
func (a Axis) at(t float64) any {
	bounds, v := a.Lin, 0.0
	if len(a.Log) == 2 {
		bounds = a.Log
		v = bounds[0] * math.Pow(bounds[1]/bounds[0], t)
	} else {
		v = bounds[0] + t*(bounds[1]-bounds[0])
	}
	switch t {
	case 0:
		v = bounds[0]
	case 1:
		v = bounds[1]
	default:
		v = short(v)
	}
	return a.value(v)
}

// short rounds v to four digits, so that what a table shows is what was tried.
func short(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// value gives v the type of the option.
func (a Axis) value(v any) any {
	whole := a.Key == "batch_size" || a.Key == "epochs"
	switch n := v.(type) {
	case float64:
		if whole {
			return max(1, int(math.Round(n)))
		}
	case int:
		if !whole {
			return float64(n)
		}
	}
	return v
}

// DefaultAxes are those to search where nobody says which: learning rates from 3e-4 to 1e-1
// and weight decays, or, for L-BFGS, which has no rate, weight decays alone.
func DefaultAxes(optimizer string) []Axis {
	if optimizer == headtrain.OptimizerLBFGS {
		return []Axis{{Key: "weight_decay", Values: []any{1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0}}}
	}
	return []Axis{
		{Key: "lr", Log: []float64{3e-4, 1e-1}, Steps: 6},
		{Key: "weight_decay", Values: []any{0.0, 1e-3, 1e-2}},
	}
}
