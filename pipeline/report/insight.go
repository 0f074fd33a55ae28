package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/pipeline/files"
	"icebox/pipeline/insight"
	"icebox/pipeline/internal/csvfile"
	"icebox/pipeline/quality"
	"icebox/pipeline/words"
)

// Files of a run folder that an insight writes.
const (
	InsightFile     = "insight.json"
	InsightTextFile = "insight.txt"
	SuspectsFile    = "suspects.csv"
	CopiesFile      = "copies.csv"
	QualityFile     = "quality.csv"
)

// Insight is what the features of a run's images tell of its data, and where its head
// is wrong.
type Insight struct {
	Run     string   `json:"run"`
	Summary Summary  `json:"summary"`
	Classes []string `json:"classes"`
	insight.Findings
	WorstOf string  `json:"worst_of"` // the part that Worst lists; "" where nothing is held out
	Worst   []Wrong `json:"worst"`    // the run's head, the surest mistakes first

	// Quality says which pictures are dark, blurry and the like; nil where the rows are of no
	// pictures.
	Quality *quality.Report `json:"quality,omitempty"`
}

// Write puts i into the run folder dir; dir may be a file of it.
func (i *Insight) Write(dir string) error {
	if fi, err := os.Stat(dir); err == nil && !fi.IsDir() {
		dir = filepath.Dir(dir)
	}
	text := new(strings.Builder)
	i.Text(text)
	suspects := [][]string{{"path", "part", "label", "looks_like", "chance_wrong", "label_probability", "looks_like_probability"}}
	for _, s := range i.Suspects {
		suspects = append(suspects, []string{s.Path, s.Part, s.Label, s.LooksLike, decimal(s.Chance), decimal(s.OfLabel), decimal(s.OfLooksLike)})
	}
	copies := [][]string{{"path", "part", "label", "other_path", "other_part", "other_label", "cosine"}}
	for _, c := range i.Copies.Pairs {
		copies = append(copies, []string{c.A.Path, c.A.Part, c.A.Label, c.B.Path, c.B.Part, c.B.Label, decimal(c.Cosine)})
	}
	return errors.Join(
		writeJSON(filepath.Join(dir, InsightFile), i),
		files.Write(filepath.Join(dir, InsightTextFile), []byte(text.String())),
		csvfile.Write(filepath.Join(dir, SuspectsFile), slices.Values(suspects)),
		csvfile.Write(filepath.Join(dir, CopiesFile), slices.Values(copies)),
		i.writeQuality(dir))
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 6, 64) }

// insightShown is how many findings of a kind the text lists; the files have all.
const insightShown = 10

// Text writes i for a person.
func (i *Insight) Text(w io.Writer) {
	fmt.Fprintf(w, "insight on %s: %s, %s\n", i.Summary.Dataset, words.Count(i.Images, "labelled "+i.Summary.Thing()), words.Count(len(i.Classes), "class"))
	for _, warning := range i.Summary.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	i.copiesText(w)
	i.qualityText(w)
	i.suspectsText(w)
	i.worstText(w)
	i.confusedText(w)
	i.curveText(w)
}

func (i *Insight) copiesText(w io.Writer) {
	c := &i.Copies
	fmt.Fprintf(w, "\nCOPIES  %s and %s (cosine of whitened features ≥ %.2f)\n", words.Count(c.Exact, "exact pair"), words.Count(c.Near, "near pair"), c.Cosine)
	if c.Leaks > 0 {
		fmt.Fprintf(w, "        *** on both sides of a split: %s; held-out numbers are too good ***\n", words.Count(c.Leaks, "pair"))
	}
	if c.Torn > 0 {
		fmt.Fprintf(w, "        under two labels: %s\n", words.Count(c.Torn, "pair"))
	}
	if len(c.Pairs) == 0 {
		return
	}
	t := NewTable(w, 2, 3)
	t.AppendHeader(table.Row{"cosine", "image", "copy", ""})
	for _, p := range i.shownPairs() {
		cosine, remark := fmt.Sprintf("%.3f", p.Cosine), ""
		if p.Exact {
			cosine = "exact"
		}
		if p.Leak() {
			remark = "leak"
		}
		if p.A.Label != p.B.Label {
			remark += " " + p.A.Label + " / " + p.B.Label
		}
		t.AppendRow(table.Row{cosine, words.Name(p.A.Path), words.Name(p.B.Path), remark})
	}
	t.Render()
	more(w, len(c.Pairs)-len(i.shownPairs()), CopiesFile)
}

// shownPairs are leaks and pairs under two labels first, then the others.
func (i *Insight) shownPairs() []insight.CopyPair {
	var first, rest []insight.CopyPair
	for _, p := range i.Copies.Pairs {
		if p.Leak() || p.A.Label != p.B.Label {
			first = append(first, p)
		} else {
			rest = append(rest, p)
		}
	}
	all := append(first, rest...)
	return all[:min(len(all), insightShown)]
}

func (i *Insight) suspectsText(w io.Writer) {
	switch {
	case i.LabelsJudged == 0:
		fmt.Fprintf(w, "\nLABELS  not judged: no class has %d images or more\n", i.Folds)
		return
	case len(i.Suspects) == 0:
		fmt.Fprintf(w, "\nLABELS  none of %s is wrong with a chance of %s or more\n", words.Number(i.LabelsJudged), words.Share(insight.SuspectChance))
		return
	}
	fmt.Fprintf(w, `
LABELS  about %.0f of %s are wrong, by estimate; %s to look through,
        the most suspicious first. Each is wrong with a chance of %s or
        more, by linear discriminants that never saw the image (%d folds). The
        others are hard images. Wrong labels among classes that are hard to
        tell apart hide best: of these there may be more.
`, i.LabelsWrong, words.Number(i.LabelsJudged), words.Number(len(i.Suspects)), words.Share(insight.SuspectChance), i.Folds)
	if i.FoldsOfTest > 0 {
		fmt.Fprintf(w, `        The folds take in all labelled images, the %s of test too. Who acts on
        a suspect in test has looked at test: its score is then no longer a
        fair test.
`, words.Number(i.FoldsOfTest))
	}
	t := NewTable(w, 1)
	t.AppendHeader(table.Row{"image", "part", "label", "looks like", "chance wrong"})
	for _, s := range i.Suspects[:min(len(i.Suspects), insightShown)] {
		t.AppendRow(table.Row{words.Name(s.Path), s.Part, s.Label, s.LooksLike, words.Percent(s.Chance)})
	}
	t.Render()
	more(w, len(i.Suspects)-insightShown, SuspectsFile)
}

func (i *Insight) worstText(w io.Writer) {
	if i.WorstOf == "" {
		fmt.Fprintln(w, "\nERRORS  nothing is held out to find them on")
		return
	}
	fmt.Fprintf(w, "\nERRORS  %s of the run's head on %s, the surest first\n", words.Count(len(i.Worst), "mistake"), i.WorstOf)
	if len(i.Worst) == 0 {
		return
	}
	t := NewTable(w, 1)
	t.AppendHeader(table.Row{"image", "is", "taken for", "with", "its own class"})
	for _, m := range i.Worst[:min(len(i.Worst), insightShown)] {
		t.AppendRow(table.Row{words.Name(m.Path), m.Label, m.Predicted, fmt.Sprintf("%.3f", m.Probability), fmt.Sprintf("%.3f", m.OfLabel)})
	}
	t.Render()
	more(w, len(i.Worst)-insightShown, InsightFile)
}

func (i *Insight) confusedText(w io.Writer) {
	if len(i.Confused) == 0 {
		return
	}
	fmt.Fprintln(w, "\nCONFUSED CLASSES  out of fold")
	t := NewTable(w)
	t.AppendHeader(table.Row{"a", "b", "a taken for b", "b taken for a", "of both"})
	for _, c := range i.Confused[:min(len(i.Confused), insightShown)] {
		t.AppendRow(table.Row{c.A, c.B, c.AToB, c.BToA, words.Percent(c.Share)})
	}
	t.Render()
}

func (i *Insight) curveText(w io.Writer) {
	c := i.Curve
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\nLEARNING CURVE  %d folds, equally many steps\n", c.Folds)
	t := NewTable(w)
	t.AppendHeader(table.Row{"share", "images", "accuracy", "± standard error"})
	for _, p := range c.Points {
		t.AppendRow(table.Row{words.Share(p.Share), words.Number(p.Rows), words.Percent(p.Accuracy), words.Percent(p.Error)})
	}
	t.Render()
	g := c.Twice
	if g == nil {
		fmt.Fprintln(w, "no power law fits these points: no guess at what more images would bring")
		return
	}
	fmt.Fprintf(w, `Twice the images might bring %+.1f percentage points of accuracy; other fits of
this curve give %+.1f to %+.1f. It is a guess: a power law through four points
says nothing sure of a fifth, and nothing at all of images of another kind.
`, 100*g.Gain, 100*g.Low, 100*g.High)
}

func more(w io.Writer, n int, file string) {
	if n > 0 {
		fmt.Fprintf(w, "… and %s more, in %s\n", words.Number(n), file)
	}
}
