package pipeline

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/headtrain"
)

// Files that a sweep has beside those of every run folder. Both list the points,
// the best first.
const (
	sweepFile      = "sweep.jsonl" // with every head
	sweepTableFile = "sweep.csv"
)

// SweepSummary is the summary of RunSweep.
type SweepSummary struct {
	RunSummary // of the chosen head

	Method       string  `json:"method"`
	Metric       string  `json:"metric"`
	Points       int     `json:"points"`
	Heads        int     `json:"heads"`      // trained, or taken from before an interruption
	EpochsRun    int     `json:"epochs_run"` // of all heads
	Diverged     int     `json:"diverged"`   // heads
	Resumed      int     `json:"resumed"`    // heads that were there already
	SweepSeconds float64 `json:"sweep_seconds"`
	// HeadEpochsPerSecond is the rate of this process.
	HeadEpochsPerSecond float64 `json:"head_epochs_per_second"`

	// Best are the options of the chosen head, train_fraction among them, and
	// BestValues those that the axes gave.
	Best       map[string]any `json:"best"`
	BestValues map[string]any `json:"best_values"`
	// ValAcc and ValLoss are what the choice was made by: the point's means over
	// seeds and folds. The head that was kept has its own in report.json.
	ValAcc        *float64     `json:"val_acc"`
	ValAccSpread  *float64     `json:"val_acc_spread"`
	ValLoss       *float64     `json:"val_loss"`
	TestAccRange  *Interval    `json:"test_acc_interval"`
	InterruptedAt string       `json:"interrupted_at,omitempty"` // folder to resume from
	Report        *SweepReport `json:"-"`
}

// SweepReport is what a run's report says of the sweep that the head is from.
type SweepReport struct {
	Method     string         `json:"method"`
	Metric     string         `json:"metric"`
	Seeds      int            `json:"seeds"`
	Folds      int            `json:"folds"`
	Refit      bool           `json:"refit"`
	Points     int            `json:"points"`
	Heads      int            `json:"heads"`
	EpochsRun  int            `json:"epochs_run"`
	Diverged   []string       `json:"diverged"` // points, described
	Chosen     string         `json:"chosen"`
	Score      stat           `json:"score"` // of the chosen point
	Importance []AxisShare    `json:"importance"`
	Test       *Interval      `json:"test_acc_interval"`
	TestUnits  int            `json:"test_units"` // images, or groups, that the interval drew from
	Best       map[string]any `json:"best"`

	axes  []Axis
	top   []pointResult
	more  int
	plot  string
	drawn string // what the bootstrap drew: images or groups
}

// shownPoints is how many points a report lists.
const shownPoints = 10

// sweepReport sums up the sweep, once the test rows are judged.
func (j *job) sweepReport() *SweepReport {
	s := j.sweep
	if s == nil {
		return nil
	}
	o := j.opts.Sweep
	r := &SweepReport{Method: o.Method, Metric: s.metric.name, Seeds: s.plan.seeds, Folds: s.plan.folds, Refit: o.Refit, Points: len(s.plan.points),
		Heads: len(s.log.heads), EpochsRun: s.log.epochs(), Diverged: []string{}, Chosen: s.plan.describe(s.plan.points[s.chosen.Point].values),
		Score: *s.chosen.score(s.metric), Best: s.bestOptions(), axes: s.plan.axes}
	for _, p := range s.results {
		if p.failed() {
			r.Diverged = append(r.Diverged, s.plan.describe(s.plan.points[p.Point].values))
		}
	}
	r.Importance = importance(s.first, s.plan.axes, s.metric)
	r.top = s.results[:min(len(s.results), shownPoints)]
	r.more = len(s.results) - len(r.top)
	r.plot = plotLR(s.first, s.metric)
	if test := j.train.scores[TestPart]; test != nil {
		rows := j.train.parts[TestPart]
		units := testUnits(j.ds, rows)
		interval := bootstrap(units, hits(rows, test), s.base.Seed)
		r.Test, r.TestUnits, r.drawn = &interval, len(units), "images"
		if len(units) < len(rows.items) {
			r.drawn = "images or groups of them"
		}
	}
	return r
}

// testUnits are the rows that a bootstrap draws: groups, where there are any.
func testUnits(ds *Dataset, r *rows) [][]int {
	byGroup := map[string]int{}
	var units [][]int
	for n, i := range r.items {
		g := ds.Items[i].Group
		if at, ok := byGroup[g]; ok && g != "" {
			units[at] = append(units[at], n)
			continue
		}
		byGroup[g] = len(units)
		units = append(units, []int{n})
	}
	return units
}

// hits says which rows the head puts into their class.
func hits(r *rows, s *scored) []bool {
	k := len(r.data.Classes)
	hit := make([]bool, len(r.items))
	for n := range hit {
		hit[n] = argmax(s.logits[n*k:(n+1)*k]) == int(r.data.Labels[n])
	}
	return hit
}

func argmax(v []float32) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

// Text writes r for a person.
func (r *SweepReport) Text(w io.Writer) {
	points := "points"
	if r.Points == 1 {
		points = "point"
	}
	fmt.Fprintf(w, "sweep      %s over %s %s", r.Method, commas(r.Points), points)
	if r.Seeds > 1 {
		fmt.Fprintf(w, " × %d seeds", r.Seeds)
	}
	if r.Folds > 0 {
		fmt.Fprintf(w, " × %d folds", r.Folds)
	}
	fmt.Fprintf(w, ": %s heads, %s epochs\n", commas(r.Heads), commas(r.EpochsRun))
	m := newMetric(r.Metric)
	fmt.Fprintf(w, "chosen     %s: %s%s\n", r.Chosen, m.text(r.Score.Mean), r.spread(r.Score))
	if r.Test != nil {
		fmt.Fprintf(w, "test       95 %% interval of this head's accuracy %s to %s, by bootstrap over %s %s\n", percent(r.Test.Low), percent(r.Test.High), commas(r.TestUnits), r.drawn)
	}
	if len(r.axes) > 0 {
		var parts []string
		rest := 1.0
		for _, a := range r.Importance {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", a.Axis, 100*a.Share))
			rest -= a.Share
		}
		if len(r.axes) > 1 {
			fmt.Fprintf(w, "importance %s; interactions and chance %.0f %% (shares of the variance of %s between points)\n", strings.Join(parts, ", "), 100*max(0, rest), r.Metric)
		}
		r.table(w)
	}
	if r.plot != "" {
		fmt.Fprintf(w, "\n%s", r.plot)
	}
	if n := len(r.Diverged); n > 0 {
		fmt.Fprintf(w, "\ndiverged: %s of %s points, such as %s\n", commas(n), commas(r.Points), r.Diverged[0])
	}
}

// spread says how far seeds or folds lie apart.
func (r *SweepReport) spread(s stat) string {
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
	case r.Metric == headtrain.MetricValAcc:
		return fmt.Sprintf(" ± %.2f (standard deviation over %s)", 100*s.Spread, over)
	}
	return fmt.Sprintf(" ± %.2g (standard deviation over %s)", s.Spread, over)
}

func (r *SweepReport) table(w io.Writer) {
	t := newTable(w)
	held := r.Metric != metricTrainLoss // out: else there are no such numbers
	header := table.Row{""}
	switch {
	case held && r.Folds > 0:
		header = append(header, "acc. in folds", "±", "loss in folds")
	case held:
		header = append(header, "val acc.", "±", "val loss")
	}
	header = append(header, "train loss", "epochs")
	for _, a := range r.axes {
		header = append(header, a.Key)
	}
	t.AppendHeader(header)
	for _, p := range r.top {
		row := table.Row{p.Rank}
		if held {
			row = append(row, p.heldOut()...)
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
	if r.more > 0 {
		fmt.Fprintf(w, "%s more in %s\n", commas(r.more), sweepTableFile)
	}
}

// heldOut is accuracy, spread and loss of a point for the table.
func (p *pointResult) heldOut() table.Row {
	if p.failed() {
		return table.Row{"diverged", "", "–"}
	}
	spread := ""
	if len(p.Heads) > 1 {
		spread = fmt.Sprintf("%.2f", 100*p.ValAcc.Spread)
	}
	return table.Row{percent(p.ValAcc.Mean), spread, fmt.Sprintf("%.4g", p.ValLoss.Mean)}
}

// writeSweep writes the tables of a sweep and takes its log away: all is in them.
func (j *job) writeSweep() error {
	s := j.sweep
	if s == nil {
		return nil
	}
	var lines strings.Builder
	e := json.NewEncoder(&lines)
	for _, p := range s.results {
		if err := e.Encode(p); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(j.train.dir.file(sweepFile), []byte(lines.String()), 0o644),
		s.writeTable(j.train.dir.file(sweepTableFile)),
		s.log.close(),
		os.Remove(s.log.path))
}

func (s *sweep) writeTable(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	header := []string{"rank"}
	for _, a := range s.plan.axes {
		header = append(header, a.Key)
	}
	header = append(header, "val_acc", "val_acc_spread", "val_loss", "val_loss_spread", "train_loss", "epochs", "heads", "diverged")
	if len(s.plan.rungs) > 1 {
		header = append(header, "rung")
	}
	lines := [][]string{header}
	for _, p := range s.results {
		line := []string{strconv.Itoa(p.Rank)}
		for _, a := range s.plan.axes {
			line = append(line, fmt.Sprint(p.Values[a.Key]))
		}
		for _, v := range []*stat{p.ValAcc, p.ValLoss} {
			if v == nil {
				line = append(line, "", "")
			} else {
				line = append(line, float(v.Mean), float(v.Spread))
			}
		}
		if p.TrainLoss == nil {
			line = append(line, "")
		} else {
			line = append(line, float(p.TrainLoss.Mean))
		}
		line = append(line, strconv.Itoa(p.Epochs), strconv.Itoa(len(p.Heads)), strconv.Itoa(p.Diverged))
		if len(s.plan.rungs) > 1 {
			line = append(line, strconv.Itoa(p.Rung+1))
		}
		lines = append(lines, line)
	}
	return errors.Join(csv.NewWriter(f).WriteAll(lines), f.Close())
}

func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// bestOptions are the options of the chosen point by their keys.
func (s *sweep) bestOptions() map[string]any {
	q := s.plan.points[s.chosen.Point]
	best := map[string]any{}
	text, err := json.Marshal(q.options)
	if err == nil {
		err = json.Unmarshal(text, &best)
	}
	if err != nil {
		maps.Copy(best, s.chosen.Values)
	}
	best[fractionKey] = q.fraction
	return best
}

func (j *job) sweepSummary() *SweepSummary {
	s := j.sweep
	sum := &SweepSummary{RunSummary: *j.runSummary(), Method: j.opts.Sweep.Method, Metric: s.metric.name, Resumed: s.resumed, SweepSeconds: s.seconds, Report: s.report}
	if s.seconds > 0 {
		sum.HeadEpochsPerSecond = float64(s.epochs) / s.seconds
	}
	if s.plan != nil {
		sum.Points = len(s.plan.points)
	}
	if s.log != nil {
		sum.Heads, sum.EpochsRun = len(s.log.heads), s.log.epochs()
		for _, h := range s.log.heads {
			if h.Diverged {
				sum.Diverged++
			}
		}
	}
	if s.chosen != nil && !s.chosen.failed() {
		sum.Best, sum.BestValues = s.bestOptions(), s.chosen.Values
		if v := s.chosen.ValAcc; v != nil {
			sum.ValAcc, sum.ValAccSpread, sum.ValLoss = &v.Mean, &v.Spread, &s.chosen.ValLoss.Mean
		}
	}
	if s.report != nil {
		sum.TestAccRange = s.report.Test
	}
	if t := j.train; t != nil && t.dir != nil && t.dir.path != "" && t.dir.keep {
		sum.InterruptedAt = t.dir.path
	}
	return sum
}

func commas[N int | float64](n N) string { return humanize.Commaf(float64(n)) }
