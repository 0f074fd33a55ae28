package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// Report is what a run found out; report.json holds it.
type Report struct {
	Program string            `json:"program"` // that wrote it
	Started time.Time         `json:"started"`
	Summary RunSummary        `json:"summary"`
	Classes []string          `json:"classes"`
	Parts   map[string]Score  `json:"parts"` // train, val, test; probabilities as trained, not calibrated
	Answers Answering         `json:"answers"`
	Base    *Baselines        `json:"baselines,omitempty"`
	Decided string            `json:"decided"`
	Wrong   []Wrong           `json:"misclassified"`
	WrongOf string            `json:"misclassified_of"` // the part that Wrong lists
	Space   spaceInfo         `json:"space"`
	Head    headtrain.Options `json:"head"`
	Engine  string            `json:"head_engine"`
	Sweep   *SweepReport      `json:"sweep,omitempty"` // that the head is from
}

// Score is the report on one part.
type Score = judge.Report

// Wrong is an image that the head puts into another class than its own.
type Wrong struct {
	Path        string  `json:"path"`
	Label       string  `json:"label"`
	Predicted   string  `json:"predicted"`
	Probability float64 `json:"probability"`       // of the predicted class
	OfLabel     float64 `json:"label_probability"` // of its own
}

// writeReport completes the run folder.
func writeReport(_ context.Context, j *job) error {
	t := j.train
	r := Report{Classes: j.ds.Classes, Parts: map[string]Score{}, Space: j.space, Decided: decided(t), Head: j.opts.Head, Engine: cmp.Or(j.opts.HeadEngine, headtrain.EngineFused), Answers: t.answering, Base: t.baselines}
	for p, s := range t.scores {
		r.Parts[p.String()] = s.report
	}
	for _, p := range []Part{TestPart, ValPart, TrainPart} {
		if t.scores[p] != nil {
			r.WrongOf, r.Wrong = p.String(), wrong(j.ds, j.ds.Classes, t.parts[p], t.scores[p].logits, t.answering.Temperature)
			break
		}
	}
	if s := j.sweep; s != nil {
		s.report = j.sweepReport()
		r.Sweep, r.Decided = s.report, s.decided(j)
	}
	j.sum.Seconds = seconds(time.Since(j.start))
	r.Started, r.Program = j.start.UTC().Truncate(time.Second), j.opts.Output.Program
	r.Summary = *j.runSummary()
	text := new(strings.Builder)
	r.Text(text)
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.dir.file(reportFile), append(body, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(t.dir.file(reportTextFile), []byte(text.String()), 0o644); err != nil {
		return err
	}
	if err := t.dir.quarantine(j.sum.Quarantine); err != nil {
		return err
	}
	if err := j.writeSweep(); err != nil {
		return err
	}
	return t.dir.done()
}

// wrong lists the misclassified of some items, the surest mistakes first.
func wrong(ds *Dataset, classes []string, r *rows, logits []float32, temperature float64) []Wrong {
	k := len(classes)
	wrong := []Wrong{}
	probs := make([]float64, k)
	for n, i := range r.items {
		best := judge.Softmax(probs, logits[n*k:(n+1)*k], temperature)
		label := int(r.data.Labels[n])
		if best == label {
			continue
		}
		wrong = append(wrong, Wrong{ds.Display(&ds.Items[i]), classes[label], classes[best], probs[best], probs[label]})
	}
	sort.SliceStable(wrong, func(a, b int) bool { return wrong[a].Probability > wrong[b].Probability })
	return wrong
}

// Text writes r for a person.
func (r *Report) Text(w io.Writer) {
	s := &r.Summary
	fmt.Fprintf(w, "dataset %s: %d %s, %d classes\n", s.Dataset, s.Images, s.things(), len(r.Classes))
	for _, warning := range s.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	if s.Features != "" {
		fmt.Fprintf(w, "\nfeatures  %d rows of %d from %s\n", s.Images, s.Dim, s.Features)
	} else {
		fmt.Fprintf(w, "\nfeatures  %d from the cache, %d computed, %d bad; %d images opened\n", s.Hits, s.Computed, s.Quarantined, s.ImagesOpened)
		fmt.Fprintf(w, "backbone  resnet18, weights %s (%.12s)\n", s.Weights, s.WeightsHash)
	}
	fmt.Fprintf(w, "head      %s\n", describeHead(r.Head, r.Engine))
	if shaping := describeShaping(r.Head); shaping != "" {
		fmt.Fprintf(w, "shaped by %s\n", shaping)
	}
	course := s.Course()
	if s.Stopped == headtrain.StoppedEarly {
		course = fmt.Sprintf("%d of %d epochs", s.Epochs, r.Head.Epochs)
	}
	fmt.Fprintf(w, "training  %s, best %d, %s each%s\n", course, s.BestEpoch, Millis(s.EpochSeconds), s.Rate())
	fmt.Fprintf(w, "choice    %s\n\n", r.Decided)
	if r.Sweep != nil {
		r.Sweep.Text(w)
		fmt.Fprintln(w)
	}
	partsTable(w, r.Parts)
	fmt.Fprintln(w)
	r.Answers.text(w, r.Parts)
	part := r.Parts[r.WrongOf]
	if r.Base != nil {
		r.Base.text(w, part.Top1)
	}
	fmt.Fprintf(w, "\nper class, on %s\n", r.WrongOf)
	classTable(w, part)
	if len(r.Classes) <= 20 {
		fmt.Fprintf(w, "\nconfusion on %s: a row is the true class, a column the predicted one\n", r.WrongOf)
		confusionTable(w, r.Classes, part)
	}
	r.wrongTable(w)
	if len(s.Quarantine) > 0 {
		fmt.Fprintf(w, "\nquarantined: %d images\n", len(s.Quarantine))
		for _, b := range s.Quarantine {
			fmt.Fprintf(w, "  %s: %s\n", b.Path, b.Reason)
		}
	}
}

// newTable is the one look that all tables share.
func newTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = 0
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
}

// partOrder is how parts are listed; "all" is a dataset without parts.
var partOrder = []string{"train", "val", "test", "all"}

func partsTable(w io.Writer, parts map[string]Score) {
	t := newTable(w)
	t.AppendHeader(table.Row{"part", "images", "loss", "top-1", "top-5", "macro F1", "balanced acc.", "ECE"})
	for _, name := range partOrder {
		if p, ok := parts[name]; ok {
			t.AppendRow(table.Row{name, p.N, fmt.Sprintf("%.4g", p.Loss), percent(p.Top1), top5(p), fmt.Sprintf("%.4f", p.MacroF1), percent(p.BalancedAccuracy), fmt.Sprintf("%.3f", p.ECE)})
		}
	}
	t.Render()
}

// top5 is empty where it says nothing: five classes or fewer are all among the
// first five.
func top5(p Score) string {
	if len(p.PerClass) <= 5 {
		return "–"
	}
	return percent(p.Top5)
}

// Millis writes a short time so that it is never "0.0 ms".
func Millis(seconds float64) string {
	if seconds < 1e-3 {
		return fmt.Sprintf("%.0f µs", seconds*1e6)
	}
	return fmt.Sprintf("%.1f ms", seconds*1e3)
}

func percent(f float64) string { return fmt.Sprintf("%.2f %%", 100*f) }

func classTable(w io.Writer, p Score) {
	t := newTable(w)
	t.AppendHeader(table.Row{"class", "precision", "recall", "f1-score", "support"})
	for _, c := range p.PerClass {
		t.AppendRow(table.Row{c.Class, fmt.Sprintf("%.3f", c.Precision), fmt.Sprintf("%.3f", c.Recall), fmt.Sprintf("%.3f", c.F1), c.Support})
	}
	t.AppendSeparator()
	t.AppendRow(table.Row{"accuracy", "", "", fmt.Sprintf("%.3f", p.Top1), p.N})
	for _, a := range []struct {
		name string
		judge.Average
	}{{"macro avg", p.Macro}, {"weighted avg", p.Weighted}} {
		t.AppendRow(table.Row{a.name, fmt.Sprintf("%.3f", a.Precision), fmt.Sprintf("%.3f", a.Recall), fmt.Sprintf("%.3f", a.F1), p.N})
	}
	t.Render()
}

func confusionTable(w io.Writer, classes []string, p Score) {
	t := newTable(w)
	header := table.Row{""}
	for _, c := range classes {
		header = append(header, c)
	}
	t.AppendHeader(header)
	for i, line := range p.Confusion {
		row := table.Row{classes[i]}
		for _, n := range line {
			row = append(row, n)
		}
		t.AppendRow(row)
	}
	t.Render()
}

// wrongShown is how many mistakes the report for people lists.
const wrongShown = 25

func (r *Report) wrongTable(w io.Writer) {
	if len(r.Wrong) == 0 {
		fmt.Fprintf(w, "\nno %s image is misclassified\n", r.WrongOf)
		return
	}
	fmt.Fprintf(w, "\nmisclassified on %s: %d, the surest mistakes first\n", r.WrongOf, len(r.Wrong))
	shown := r.Wrong[:min(len(r.Wrong), wrongShown)]
	t := newTable(w)
	t.AppendHeader(table.Row{"image", "is", "taken for", "with", "its own class"})
	for _, m := range shown {
		t.AppendRow(table.Row{m.Path, m.Label, m.Predicted, fmt.Sprintf("%.3f", m.Probability), fmt.Sprintf("%.3f", m.OfLabel)})
	}
	t.Render()
	if more := len(r.Wrong) - len(shown); more > 0 {
		fmt.Fprintf(w, "… and %d more, in %s\n", more, reportFile)
	}
}

// Datasets describes the datasets of a cache.
func Datasets(c *cache.Cache) ([]DatasetStat, error) {
	var stats []DatasetStat
	for _, name := range DatasetNames(c) {
		ds, err := loadDataset(c, datasetPrefix, name)
		if err != nil {
			return nil, err
		}
		stats = append(stats, DatasetStat{Name: name, Source: ds.Sources.Train, Items: len(ds.Items), Classes: len(ds.Classes),
			Train: ds.Count(TrainPart), Val: ds.Count(ValPart), Test: ds.Count(TestPart)})
	}
	return stats, nil
}

// DatasetStat describes a dataset of a cache.
type DatasetStat struct {
	Name    string `json:"name"`
	Source  string `json:"source"`
	Items   int    `json:"items"`
	Classes int    `json:"classes"`
	Train   int    `json:"train"`
	Val     int    `json:"val"`
	Test    int    `json:"test"`
}
