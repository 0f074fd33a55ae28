package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// Charts are drawn in a box of chartWidth × chartHeight, whose inner part begins at left and
// top.
const (
	chartWidth, chartHeight = 420, 260
	left, top               = 44, 12
	innerWidth, innerHeight = chartWidth - left - 24, chartHeight - top - 34
)

// line is a curve of a chart, as the attribute of a polyline.
type line struct {
	Name   string
	Class  string // in the style sheet
	Points string
	Last   float64
}

// tick is a mark on an axis.
type tick struct {
	At   float64
	Text string
}

// chart is a chart of lines.
type chart struct {
	Title, XTitle, YTitle string
	Lines                 []line
	Dots                  []dot
	XTicks, YTicks        []tick
	Diagonal              bool
	Summary               string // the same in a sentence
}

// dot is a marked point of a chart.
type dot struct {
	X, Y, R float64
	Text    string
}

// scale maps a range to a part of the chart.
type scale struct{ low, high, from, to float64 }

func (s scale) at(v float64) float64 {
	if s.high == s.low {
		return (s.from + s.to) / 2
	}
	return s.from + (v-s.low)/(s.high-s.low)*(s.to-s.from)
}

func xScale(low, high float64) scale { return scale{low, high, left, left + innerWidth} }
func yScale(low, high float64) scale { return scale{low, high, top + innerHeight, top} }

func points(n int, xy func(i int) (x, y float64)) string {
	var b strings.Builder
	for i := range n {
		x, y := xy(i)
		if !math.IsNaN(y) {
			fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
		}
	}
	return b.String()
}

// ticks are three to seven round marks in a range.
func ticks(s scale, format func(v float64) string) []tick {
	step := math.Pow(10, math.Floor(math.Log10((s.high-s.low)/3)))
	for _, more := range []float64{5, 2} {
		if step*more*3 <= s.high-s.low {
			step *= more
			break
		}
	}
	var all []tick
	for n := math.Ceil(s.low/step - 1e-9); n*step <= s.high+step*1e-9 && len(all) < 8; n++ {
		all = append(all, tick{s.at(n * step), format(n*step + 0)}) // -0 becomes 0
	}
	return all
}

func percentTick(v float64) string {
	return strconv.FormatFloat(math.Round(1e4*v)/100+0, 'f', -1, 64) + " %"
}

// Curves are the loss and the accuracy by epoch; nil for fewer than two epochs.
func (v *view) Curves() []*chart {
	if len(v.Epochs) < 2 {
		return nil
	}
	series := func(of func(headtrain.Epoch) *float64) []float64 {
		var all []float64
		for _, e := range v.Epochs {
			if p := of(e); p != nil {
				all = append(all, *p)
			} else {
				all = append(all, math.NaN())
			}
		}
		return all
	}
	loss := v.curve("Loss by epoch", "loss", func(v float64) string { return fmt.Sprintf("%.3g", v) },
		series(func(e headtrain.Epoch) *float64 { return &e.TrainLoss }),
		series(func(e headtrain.Epoch) *float64 { return e.ValLoss }))
	accuracy := v.curve("Accuracy by epoch", "accuracy", percentTick,
		series(func(e headtrain.Epoch) *float64 { return &e.TrainAcc }),
		series(func(e headtrain.Epoch) *float64 { return e.ValAcc }))
	return []*chart{loss, accuracy}
}

// curve draws training and validation over the epochs.
func (v *view) curve(title, what string, format func(float64) string, series ...[]float64) *chart {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range series {
		for _, y := range s {
			if !math.IsNaN(y) {
				low, high = min(low, y), max(high, y)
			}
		}
	}
	first, last := v.Epochs[0].Epoch, v.Epochs[len(v.Epochs)-1].Epoch
	x, y := xScale(float64(first), float64(last)), yScale(low, high)
	c := &chart{Title: title, XTitle: "epoch", YTitle: what, YTicks: ticks(y, format)}
	c.XTicks = []tick{{x.at(float64(first)), fmt.Sprint(first)}, {x.at(float64(last)), fmt.Sprint(last)}}
	var ends []string
	for i, name := range []string{"training", "validation"} {
		s := series[i]
		end := s[len(s)-1]
		if math.IsNaN(end) {
			continue
		}
		c.Lines = append(c.Lines, line{Name: name, Class: []string{"a", "b"}[i], Last: end,
			Points: points(len(s), func(k int) (float64, float64) { return x.at(float64(v.Epochs[k].Epoch)), y.at(s[k]) })})
		ends = append(ends, fmt.Sprintf("at %s in %s", format(end), name))
	}
	c.Summary = "It ends " + strings.Join(ends, " and ") + "."
	return c
}

// Reliability is how often the answers of each probability are right.
func (v *view) Reliability() *chart {
	before := v.Held().Reliability
	after := v.Report.Answers.Parts[v.Report.WrongOf].Calibration
	if len(before) == 0 {
		return nil
	}
	x, y := xScale(0, 1), yScale(0, 1)
	c := &chart{Title: "Can its probabilities be believed?", XTitle: "probability of the answer", YTitle: "share that is right",
		XTicks: ticks(x, percentTick), YTicks: ticks(y, percentTick), Diagonal: true}
	bins, ece := before, v.Held().ECE
	if len(after.Reliability) > 0 {
		bins, ece = after.Reliability, after.ECE
	}
	most := 1
	for _, b := range bins {
		most = max(most, b.Rows)
	}
	full := make([]judge.Bin, 0, len(bins))
	for _, b := range bins {
		if b.Rows == 0 {
			continue
		}
		full = append(full, b)
		c.Dots = append(c.Dots, dot{x.at(b.Confidence), y.at(b.Accuracy), 2 + 5*math.Sqrt(float64(b.Rows)/float64(most)),
			fmt.Sprintf("%d images said %.0f %%: %.0f %% of them are right", b.Rows, 100*b.Confidence, 100*b.Accuracy)})
	}
	c.Lines = []line{{Class: "a", Points: points(len(full), func(i int) (float64, float64) { return x.at(full[i].Confidence), y.at(full[i].Accuracy) })}}
	c.Summary = fmt.Sprintf("The expected calibration error is %.3f.", ece)
	if len(after.Reliability) > 0 && v.Report.Answers.Temperature != 1 {
		c.Summary = fmt.Sprintf("The expected calibration error is %.3f after calibration, and %.3f before.", ece, v.Held().ECE)
	}
	return c
}

// Reject is what "unknown" for the least sure answers would bring.
func (v *view) Reject() *chart {
	p := v.Page.Rejecting
	if len(p) < 2 {
		return nil
	}
	low := 1.0
	for _, q := range p {
		low = min(low, q.Precision)
	}
	x, y := xScale(0, 1), yScale(low, 1)
	c := &chart{Title: "What if it may say “unknown”?", XTitle: "share of images that get an answer", YTitle: "share of answers that are right",
		XTicks: ticks(x, percentTick), YTicks: ticks(y, percentTick)}
	c.Lines = []line{{Class: "a", Points: points(len(p), func(i int) (float64, float64) { return x.at(p[i].Coverage), y.at(p[i].Precision) })}}
	half := p[0]
	for _, q := range p {
		if math.Abs(q.Coverage-.5) < math.Abs(half.Coverage-.5) {
			half = q
		}
	}
	c.Summary = fmt.Sprintf("Of the surest %.0f %% of the answers, %.1f %% are right.", 100*half.Coverage, 100*half.Precision)
	if r := v.Report.Answers.Parts[v.Report.WrongOf].Rejection; v.Report.Answers.Threshold > 0 {
		c.Dots = []dot{{x.at(r.Coverage), y.at(max(r.Precision, low)), 6, "the chosen threshold"}}
		c.Summary += fmt.Sprintf(" The chosen threshold answers %.0f %%, and %.1f %% of these are right.", 100*r.Coverage, 100*r.Precision)
	}
	return c
}

// Learning is the learning curve of the insight.
func (v *view) Learning() *chart {
	if v.Insight == nil || v.Insight.Curve == nil || len(v.Insight.Curve.Points) < 2 {
		return nil
	}
	p := v.Insight.Curve.Points
	low, high := 1.0, 0.0
	for _, q := range p {
		low, high = min(low, q.Accuracy-2*q.Error), max(high, q.Accuracy+2*q.Error)
	}
	x, y := xScale(0, float64(p[len(p)-1].Rows)), yScale(max(low, 0), min(high, 1))
	c := &chart{Title: "Would more images help?", XTitle: "training images", YTitle: "accuracy, out of fold",
		YTicks: ticks(y, percentTick)}
	c.Lines = []line{{Class: "a", Points: points(len(p), func(i int) (float64, float64) { return x.at(float64(p[i].Rows)), y.at(p[i].Accuracy) })}}
	for _, q := range p {
		c.XTicks = append(c.XTicks, tick{x.at(float64(q.Rows)), fmt.Sprint(q.Rows)})
		c.Dots = append(c.Dots, dot{x.at(float64(q.Rows)), y.at(q.Accuracy), 4, fmt.Sprintf("%d images: %.2f %%", q.Rows, 100*q.Accuracy)})
	}
	c.Summary = "No power law fits these points, so that nothing is said of more images."
	if g := v.Insight.Curve.Twice; g != nil {
		c.Summary = fmt.Sprintf("Twice the images might bring %+.1f percentage points; other fits say %+.1f to %+.1f. It is a guess.", 100*g.Gain, 100*g.Low, 100*g.High)
	}
	return c
}

// mapPoint is a point of the map as it is drawn.
type mapPoint struct {
	X, Y  float64
	Class string // in the style sheet
	Wrong bool
	Text  string
}

// mapSide is the width of the drawn map; its height is two thirds of that.
const mapSide = 900

// colours are how many there are for classes; then they begin anew.
const colours = 10

// MapPoints are the points of the map, scaled to it.
func (v *view) MapPoints() []mapPoint {
	shown := v.Map[:min(len(v.Map), maxOnMap)]
	if len(shown) == 0 {
		return nil
	}
	low, high := Point{X: math.Inf(1), Y: math.Inf(1)}, Point{X: math.Inf(-1), Y: math.Inf(-1)}
	for _, p := range shown {
		low.X, low.Y = min(low.X, p.X), min(low.Y, p.Y)
		high.X, high.Y = max(high.X, p.X), max(high.Y, p.Y)
	}
	x := scale{low.X, high.X, 12, mapSide - 12}
	y := scale{low.Y, high.Y, mapSide*2/3 - 12, 12}
	all := make([]mapPoint, len(shown))
	for i, p := range shown {
		class := v.Report.Classes[p.Class]
		all[i] = mapPoint{x.at(p.X), y.at(p.Y), fmt.Sprintf("k%d", p.Class%colours), p.Wrong, p.Path + ": " + class}
	}
	return all
}

// legend is a class and its colour.
type legend struct{ Class, Name string }

// Legend lists the colours of the map.
func (v *view) Legend() []legend {
	var all []legend
	for i, c := range v.Report.Classes {
		all = append(all, legend{fmt.Sprintf("k%d", i%colours), c})
	}
	return all
}
