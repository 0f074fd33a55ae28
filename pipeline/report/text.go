package report

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// Text writes r for a person.
func (r *Report) Text(w io.Writer) {
	s := &r.Summary
	fmt.Fprintf(w, "dataset %s: %s, %s\n", s.Dataset, words.Count(s.Images, s.Thing()), words.Count(len(r.Classes), "class"))
	for _, warning := range s.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	fmt.Fprintf(w, "\nfeatures  %s\n", s.featuresText(Style{}))
	qualityLine(w, "quality  ", s.Quality)
	if s.Features == "" {
		fmt.Fprintf(w, "backbone  resnet18, weights %s (%.12s)\n", s.Weights, s.WeightsHash)
	}
	fmt.Fprintf(w, "head      %s\n", describeHead(r.Head, r.Engine))
	if shaping := describeShaping(r.Head); shaping != "" {
		fmt.Fprintf(w, "shaped by %s\n", shaping)
	}
	if s.Tuned != nil {
		fmt.Fprintf(w, "tuned     %s\n", s.Tuned)
	}
	course := s.Course()
	if s.Stopped == headtrain.StoppedEarly {
		course = fmt.Sprintf("%s of %s", words.Number(s.Epochs), words.Count(r.Head.Epochs, "epoch"))
	}
	fmt.Fprintf(w, "training  %s\n", s.trainingText(course))
	fmt.Fprintf(w, "choice    %s\n\n", r.Decided)
	if r.Sweep != nil {
		r.Sweep.Text(w)
		fmt.Fprintln(w)
	}
	partsTable(w, r.Parts)
	fmt.Fprintln(w)
	r.Answers.intervals(w)
	s.Corrections.line(w, "corrected  ")
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
		fmt.Fprintf(w, "\nquarantined: %s\n", words.Count(len(s.Quarantine), "image"))
		for _, b := range s.Quarantine {
			fmt.Fprintf(w, "  %s: %s\n", words.Name(b.Path), b.Reason)
		}
	}
}

// partOrder is how parts are listed; "all" is a dataset without parts.
var partOrder = []string{"train", "val", "test", "all"}

func partsTable(w io.Writer, parts map[string]Score) {
	t := NewTable(w)
	t.AppendHeader(table.Row{"part", "images", "loss", "top-1", "top-5", "macro F1", "balanced acc.", "ECE"})
	for _, name := range partOrder {
		if p, ok := parts[name]; ok {
			t.AppendRow(table.Row{name, p.N, fmt.Sprintf("%.4g", p.Loss), words.Percent(p.Top1), top5(p), fmt.Sprintf("%.4f", p.MacroF1), words.Percent(p.BalancedAccuracy), fmt.Sprintf("%.3f", p.ECE)})
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
	return words.Percent(p.Top5)
}

func classTable(w io.Writer, p Score) {
	t := NewTable(w)
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
	t := NewTable(w)
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
	fmt.Fprintf(w, "\nmisclassified on %s: %s, the surest mistakes first\n", r.WrongOf, words.Number(len(r.Wrong)))
	shown := r.Wrong[:min(len(r.Wrong), wrongShown)]
	t := NewTable(w, 1)
	t.AppendHeader(table.Row{"image", "is", "taken for", "with", "its own class"})
	for _, m := range shown {
		t.AppendRow(table.Row{words.Name(m.Path), m.Label, m.Predicted, fmt.Sprintf("%.3f", m.Probability), fmt.Sprintf("%.3f", m.OfLabel)})
	}
	t.Render()
	if more := len(r.Wrong) - len(shown); more > 0 {
		fmt.Fprintf(w, "… and %s more, in %s\n", words.Number(more), runs.ReportFile)
	}
}
