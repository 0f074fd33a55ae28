package report

import (
	"fmt"
	"math"
	"strings"

	"icebox/pipeline/sweep"
)

// Size of a plot, in characters.
const (
	plotWidth  = 60
	plotHeight = 12
)

// plotLR draws the metric of points, the chosen one first, against their learning rate,
// which is logarithmic; "" if there are no two learning rates. Points that a halving
// dropped are drawn as they were then.
func plotLR(results []sweep.Result, m sweep.Metric) string {
	var lr, score []float64
	for _, p := range results {
		if v, ok := p.Values["lr"].(float64); ok && !p.Failed() {
			lr, score = append(lr, math.Log10(v)), append(score, p.Score(m).Mean)
		}
	}
	if len(lr) < 2 {
		return ""
	}
	label := func(v float64) string {
		if m.IsAccuracy() {
			return fmt.Sprintf("%8.2f %%", 100*v)
		}
		return fmt.Sprintf("%10.4g", v)
	}
	return plotByLR(string(m), lr, score, 0, label)
}

// plotByLR draws the values of points by the logarithm of their learning rate, one
// of them as the best; "" if there are no two learning rates.
func plotByLR(name string, lr, value []float64, best int, label func(float64) string) string {
	left, right := bounds(lr)
	low, high := bounds(value)
	if left == right {
		return ""
	}
	if low == high {
		low, high = low-0.01, high+0.01
	}
	grid := make([][]byte, plotHeight)
	for y := range grid {
		grid[y] = []byte(strings.Repeat(" ", plotWidth))
	}
	mark := func(i int, c byte) {
		x := int(math.Round((lr[i] - left) / (right - left) * (plotWidth - 1)))
		y := int(math.Round((high - value[i]) / (high - low) * (plotHeight - 1)))
		grid[y][x] = c
	}
	for i := range lr {
		mark(i, 'o')
	}
	mark(best, '*')
	var out strings.Builder
	fmt.Fprintf(&out, "%s by lr; o is a point, * the best\n", name)
	for y, line := range grid {
		side := strings.Repeat(" ", 10)
		switch y {
		case 0:
			side = label(high)
		case plotHeight - 1:
			side = label(low)
		}
		fmt.Fprintf(&out, "%s |%s\n", side, strings.TrimRight(string(line), " "))
	}
	from, to := fmt.Sprintf("%.3g", math.Pow(10, left)), fmt.Sprintf("%.3g", math.Pow(10, right))
	fmt.Fprintf(&out, "%s +%s\n", strings.Repeat(" ", 10), strings.Repeat("-", plotWidth))
	fmt.Fprintf(&out, "%s  %s%s%s\n", strings.Repeat(" ", 10), from, strings.Repeat(" ", max(1, plotWidth-len(from)-len(to))), to)
	return out.String()
}

func bounds(v []float64) (low, high float64) {
	low, high = v[0], v[0]
	for _, x := range v {
		low, high = min(low, x), max(high, x)
	}
	return low, high
}
