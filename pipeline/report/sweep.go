package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/files"
	"icebox/pipeline/internal/csvfile"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
	"icebox/pipeline/words"
)

// Sweep is what a run's report says of the sweep that the head is from.
type Sweep struct {
	Method     string            `json:"method"`
	Metric     sweep.Metric      `json:"metric"`
	Seeds      int               `json:"seeds"`
	Folds      int               `json:"folds"`
	Refit      bool              `json:"refit"`
	Points     int               `json:"points"`
	Heads      int               `json:"heads"`
	EpochsRun  int               `json:"epochs_run"`
	Diverged   []string          `json:"diverged"` // points, described
	Chosen     string            `json:"chosen"`
	Score      sweep.Stat        `json:"score"` // of the chosen point
	Importance []sweep.AxisShare `json:"importance"`
	Test       *judge.Interval   `json:"test_acc_interval"`
	TestUnits  int               `json:"test_units"` // images, or groups of them, that the interval counts
	Best       map[string]any    `json:"best"`

	base     headtrain.Options // of the sweep
	valRows  int               // that points were judged by, where there were no folds
	axes     []sweep.Axis
	fraction float64 // of the training rows that the chosen point takes
	halved   bool
	results  []sweep.Result
	compared []sweep.Result // whose differences Importance explains
	plot     string
	log      *sweep.Log
}

// NewSweep sums up a search around the options base, whose points were judged by valRows
// rows of validation.
func NewSweep(o sweep.Options, base headtrain.Options, s *sweep.Search, out *sweep.Outcome, valRows int) *Sweep {
	p, best := s.Plan, out.Best()
	r := &Sweep{Method: o.Method, Metric: s.Metric, Seeds: p.Seeds, Folds: p.Folds, Refit: o.Refit, Points: len(p.Points),
		Heads: s.Log.Len(), EpochsRun: s.Log.Epochs(), Diverged: []string{}, Chosen: p.Describe(p.Points[best.Point].Values),
		Score: *best.Score(s.Metric), Best: BestOptions(p, best),
		base: base, valRows: valRows, axes: p.Axes, fraction: p.Points[best.Point].Fraction, halved: len(p.Rungs) > 1, results: out.Results, log: s.Log}
	for _, q := range out.Results {
		if q.Failed() {
			r.Diverged = append(r.Diverged, p.Describe(p.Points[q.Point].Values))
		}
	}
	r.Importance = []sweep.AxisShare{}
	for _, rung := range slices.Backward(out.Rungs) { // the longest training that has enough points to compare
		if shares := sweep.Importance(rung, p.Axes, s.Metric); shares != nil {
			r.Importance, r.compared = shares, rung
			break
		}
	}
	r.plot = plotLR(out.Results, s.Metric)
	return r
}

// Results are the points, the best first; nil of a report that was read from a file.
func (r *Sweep) Results() []sweep.Result { return r.results }

// BestOptions are the options of a point by their keys, train_fraction among them.
func BestOptions(p *sweep.Plan, chosen *sweep.Result) map[string]any {
	q := p.Points[chosen.Point]
	best := map[string]any{}
	text, err := json.Marshal(q.Options)
	if err == nil {
		err = json.Unmarshal(text, &best)
	}
	if err != nil {
		maps.Copy(best, chosen.Values)
	}
	best[sweep.FractionKey] = q.Fraction
	return best
}

// shownPoints is how many points a report lists.
const shownPoints = 10

// Text writes r for a person.
func (r *Sweep) Text(w io.Writer) {
	fmt.Fprintf(w, "sweep      %s over %s", r.Method, words.Count(r.Points, "point"))
	if r.Seeds > 1 {
		fmt.Fprintf(w, " × %s", words.Count(r.Seeds, "seed"))
	}
	if r.Folds > 0 {
		fmt.Fprintf(w, " × %s", words.Count(r.Folds, "fold"))
	}
	fmt.Fprintf(w, ": %s, %s\n", words.Count(r.Heads, "head"), words.Count(r.EpochsRun, "epoch"))
	m := r.Metric
	fmt.Fprintf(w, "chosen     %s: %s%s\n", r.Chosen, m.Text(r.Score.Mean), r.spread(r.Score))
	if len(r.axes) > 0 {
		if len(r.axes) > 1 {
			fmt.Fprintf(w, "importance %s\n", r.importanceText())
		}
		r.table(w)
	}
	if r.plot != "" {
		fmt.Fprintf(w, "\n%s", r.plot)
	}
	if n := len(r.Diverged); n > 0 {
		fmt.Fprintf(w, "\ndiverged: %s of %s points, such as %s\n", words.Number(n), words.Number(r.Points), r.Diverged[0])
	}
}

// importanceText says how much each axis matters, and between which points.
func (r *Sweep) importanceText() string {
	if len(r.Importance) == 0 {
		return fmt.Sprintf("unknown: %s are too few to tell the effects of %d axes apart", words.Count(r.Points, "point"), len(r.axes))
	}
	var parts []string
	rest := 1.0
	for _, a := range r.Importance {
		parts = append(parts, a.Axis+" "+words.Share(a.Share))
		rest -= a.Share
	}
	between := "points"
	if r.halved {
		between = fmt.Sprintf("the %s that were trained for %s", words.Count(len(r.compared), "point"), words.Count(r.compared[0].Epochs, "epoch"))
	}
	return fmt.Sprintf("%s; interactions and chance %s (shares of the variance of %s between %s)", strings.Join(parts, ", "), words.Share(max(0, rest)), r.Metric, between)
}

// spread says how far seeds or folds lie apart.
func (r *Sweep) spread(s sweep.Stat) string {
	over := fmt.Sprintf("%d seeds", r.Seeds)
	if r.Seeds > 1 && r.Folds > 0 {
		over += fmt.Sprintf(", each a mean of %d folds", r.Folds)
	}
	if r.Seeds == 1 {
		over = fmt.Sprintf("%d folds", r.Folds)
	}
	switch {
	case r.Seeds == 1 && r.Folds == 0:
		return ""
	case r.Metric.IsAccuracy():
		return fmt.Sprintf(" ± %.2f (standard deviation over %s)", 100*s.Spread, over)
	}
	return fmt.Sprintf(" ± %.2g (standard deviation over %s)", s.Spread, over)
}

func (r *Sweep) table(w io.Writer) {
	t := NewTable(w)
	held := r.Metric != sweep.TrainLoss // out: else there are no such numbers
	header := table.Row{""}
	switch {
	case held && r.Folds > 0:
		header = append(header, "acc. in folds", "±", "loss in folds")
	case held:
		header = append(header, "val acc.", "±", "val loss")
	}
	if r.ownColumn() {
		header = append(header, strings.TrimPrefix(string(r.Metric), "val_"))
	}
	header = append(header, "train loss", "epochs")
	for _, a := range r.axes {
		header = append(header, a.Key)
	}
	t.AppendHeader(header)
	for _, p := range r.results[:min(len(r.results), shownPoints)] {
		row := table.Row{p.Rank}
		if held {
			row = append(row, heldOut(&p)...)
		}
		if r.ownColumn() {
			row = append(row, r.cell(&p))
		}
		switch {
		case p.TrainLoss != nil:
			row = append(row, fmt.Sprintf("%.4g", p.TrainLoss.Mean))
		case held:
			row = append(row, "–")
		default:
			row = append(row, "diverged")
		}
		row = append(row, p.Epochs)
		for _, a := range r.axes {
			row = append(row, fmt.Sprint(p.Values[a.Key]))
		}
		t.AppendRow(row)
	}
	t.Render()
	if more := len(r.results) - shownPoints; more > 0 {
		fmt.Fprintf(w, "%s more in %s\n", words.Number(more), runs.SweepTableFile)
	}
}

// ownColumn reports whether the table has a column for the metric, because it is none of
// those that every table has.
func (r *Sweep) ownColumn() bool {
	return r.Metric == headtrain.MetricValMacroF1 || r.Metric == headtrain.MetricValBalancedAcc
}

// cell is the metric of a point for the table.
func (r *Sweep) cell(p *sweep.Result) string {
	s := p.Score(r.Metric)
	switch {
	case s == nil:
		return "–"
	case r.Metric.IsAccuracy():
		return words.Percent(s.Mean)
	}
	return fmt.Sprintf("%.4f", s.Mean)
}

// heldOut is accuracy, spread and loss of a point for the table.
func heldOut(p *sweep.Result) table.Row {
	if p.Failed() {
		return table.Row{"diverged", "", "–"}
	}
	spread := ""
	if len(p.Heads) > 1 {
		spread = fmt.Sprintf("%.2f", 100*p.ValAcc.Spread)
	}
	return table.Row{words.Percent(p.ValAcc.Mean), spread, fmt.Sprintf("%.4g", p.ValLoss.Mean)}
}

// write writes the tables of a sweep, which say all that its log does.
func (r *Sweep) write(dir *runs.Dir) error {
	var lines strings.Builder
	e := json.NewEncoder(&lines)
	for _, p := range r.results {
		if err := e.Encode(p); err != nil {
			return err
		}
	}
	return errors.Join(
		files.Write(dir.File(sweep.ResultFile), []byte(lines.String())),
		csvfile.Write(dir.File(runs.SweepTableFile), slices.Values(r.csv())),
		r.log.Close())
}

// csv lists the points, the best first.
func (r *Sweep) csv() [][]string {
	header := []string{"rank"}
	for _, a := range r.axes {
		header = append(header, a.Key)
	}
	header = append(header, "val_acc", "val_acc_spread", "val_loss", "val_loss_spread", "train_loss", "epochs", "heads", "diverged")
	byClass := r.knowsClasses()
	if byClass {
		header = append(header, headtrain.MetricValMacroF1, headtrain.MetricValBalancedAcc)
	}
	if r.halved {
		header = append(header, "rung")
	}
	lines := [][]string{header}
	for _, p := range r.results {
		line := []string{strconv.Itoa(p.Rank)}
		for _, a := range r.axes {
			line = append(line, fmt.Sprint(p.Values[a.Key]))
		}
		line = append(line, mean(p.ValAcc), spread(p.ValAcc), mean(p.ValLoss), spread(p.ValLoss), mean(p.TrainLoss))
		line = append(line, strconv.Itoa(p.Epochs), strconv.Itoa(len(p.Heads)), strconv.Itoa(p.Diverged))
		if byClass {
			line = append(line, mean(p.ValMacroF1), mean(p.ValBalancedAcc))
		}
		if r.halved {
			line = append(line, strconv.Itoa(p.Rung+1))
		}
		lines = append(lines, line)
	}
	return lines
}

// knowsClasses reports whether every point that was validated has the metrics that go by
// class. Those of a sweep that an earlier version began have not.
func (r *Sweep) knowsClasses() bool {
	return !slices.ContainsFunc(r.results, func(p sweep.Result) bool { return p.ValAcc != nil && p.ValMacroF1 == nil })
}

// mean and spread are those of s for a table; empty where there are none.
func mean(s *sweep.Stat) string {
	if s == nil {
		return ""
	}
	return float(s.Mean)
}

func spread(s *sweep.Stat) string {
	if s == nil {
		return ""
	}
	return float(s.Spread)
}

func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
