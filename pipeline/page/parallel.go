package page

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"icebox/pipeline/sweep"
)

// The drawing of a sweep has an axis every axisGap; values lie between sweepTop and
// sweepBottom.
const (
	axisGap               = 170
	axisLeft              = 60
	sweepTop, sweepBottom = 34, 276
)

// sweepChart is a sweep as parallel coordinates: an axis for each value, the metric last.
type sweepChart struct {
	Points  int
	Width   int
	Axes    []sweepAxis
	Lines   []sweepLine // the best last, so that it lies on top
	Summary string
}

type sweepAxis struct {
	Name  string
	X     int
	Ticks []tick
}

type sweepLine struct {
	Points string
	Shade  int // 0 to 3, the best quarter is 3
	Chosen bool
	Text   string
}

// Sweep draws the sweep that the head is from; nil where there is none, or nothing varies.
func (v *view) Sweep() *sweepChart {
	s := v.Report.Sweep
	var shown []sweep.Result
	for _, r := range v.Swept {
		if s != nil && r.Score(s.Metric) != nil && len(shown) < maxSwept {
			shown = append(shown, r)
		}
	}
	if len(shown) < 2 || len(shown[0].Values) == 0 {
		return nil
	}
	c := &sweepChart{Points: len(v.Swept)}
	var places []func(sweep.Result) float64
	for _, key := range slices.Sorted(maps.Keys(shown[0].Values)) {
		axis, place := valueAxis(key, shown)
		c.Axes, places = append(c.Axes, axis), append(places, place)
	}
	axis, place := metricAxis(s.Metric, shown)
	c.Axes, places = append(c.Axes, axis), append(places, place)
	for i := range c.Axes {
		c.Axes[i].X = axisLeft + axisGap*i
	}
	c.Width = 2*axisLeft + axisGap*(len(c.Axes)-1) + 40
	for i, r := range slices.Backward(shown) {
		line := sweepLine{Shade: 3 - min(4*i/len(shown), 3), Chosen: i == 0, Text: describe(r, s.Metric)}
		line.Points = points(len(places), func(a int) (float64, float64) { return float64(c.Axes[a].X), places[a](r) })
		c.Lines = append(c.Lines, line)
	}
	c.Summary = fmt.Sprintf("The chosen point is thick: %s.", describe(shown[0], s.Metric))
	if hidden := len(v.Swept) - len(shown); hidden > 0 {
		c.Summary += fmt.Sprintf(" %d more are in sweep.csv, diverged ones among them.", hidden)
	}
	return c
}

// describe is a point in words.
func describe(r sweep.Result, m sweep.Metric) string {
	text := ""
	for _, key := range slices.Sorted(maps.Keys(r.Values)) {
		text += fmt.Sprintf("%s %v, ", key, r.Values[key])
	}
	return text + m.Text(r.Score(m).Mean)
}

// metricAxis is the axis of what the points are ranked by: better is higher.
func metricAxis(m sweep.Metric, shown []sweep.Result) (sweepAxis, func(sweep.Result) float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range shown {
		low, high = min(low, r.Score(m).Mean), max(high, r.Score(m).Mean)
	}
	if low == high {
		high += 1e-9
	}
	y := scale{low, high, sweepBottom, sweepTop}
	if !m.MoreIsBetter() {
		y.from, y.to = sweepTop, sweepBottom
	}
	format := percentTick
	if !m.IsAccuracy() {
		format = func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
	}
	return sweepAxis{Name: string(m), Ticks: ticks(y, format)}, func(r sweep.Result) float64 { return y.at(r.Score(m).Mean) }
}

// evenly is up to how many different values an axis has them at equal distances.
const evenly = 12

// valueAxis is the axis of a value. A few values stand at equal distances, in their order;
// many numbers where they are, or where their logarithms are if they span decades.
func valueAxis(key string, shown []sweep.Result) (sweepAxis, func(sweep.Result) float64) {
	axis := sweepAxis{Name: key}
	var values []any
	for _, r := range shown {
		values = append(values, r.Values[key])
	}
	slices.SortFunc(values, func(a, b any) int {
		return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	values = slices.CompactFunc(values, func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
	low, high := number(values[0]), number(values[len(values)-1])
	if len(values) <= evenly || low == high {
		y := scale{0, float64(max(len(values)-1, 1)), sweepBottom, sweepTop}
		at := map[string]float64{}
		for i, v := range values {
			at[fmt.Sprint(v)] = y.at(float64(i))
			if len(values) <= evenly {
				axis.Ticks = append(axis.Ticks, tick{y.at(float64(i)), fmt.Sprint(v)})
			}
		}
		return axis, func(r sweep.Result) float64 { return at[fmt.Sprint(r.Values[key])] }
	}
	on := func(v float64) float64 { return v }
	if low > 0 && high/low >= 50 {
		on = math.Log10
	}
	y := scale{on(low), on(high), sweepBottom, sweepTop}
	for i := range evenly / 2 {
		v := number(values[i*(len(values)-1)/(evenly/2-1)])
		axis.Ticks = append(axis.Ticks, tick{y.at(on(v)), strconv.FormatFloat(v, 'g', 3, 64)})
	}
	return axis, func(r sweep.Result) float64 { return y.at(on(number(r.Values[key]))) }
}

// number is a value of an axis; 0, if it is a word.
func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}
