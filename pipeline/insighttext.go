package pipeline

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
)

// insightShown is how many findings of a kind the text lists; the files have all.
const insightShown = 10

// Text writes i for a person.
func (i *Insight) Text(w io.Writer) {
	fmt.Fprintf(w, "insight on %s: %s labelled %s, %d classes\n", i.Summary.Dataset, humanize.Comma(int64(i.Images)), i.Summary.things(), len(i.Classes))
	for _, warning := range i.Summary.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	i.copiesText(w)
	i.suspectsText(w)
	i.worstText(w)
	i.confusedText(w)
	i.curveText(w)
}

func (i *Insight) copiesText(w io.Writer) {
	c := &i.Copies
	fmt.Fprintf(w, "\nCOPIES  %d exact, %d near pairs (cosine of whitened features ≥ %.2f)\n", c.Exact, c.Near, c.Cosine)
	if c.Leaks > 0 {
		fmt.Fprintf(w, "        *** %d of the pairs lie on both sides of a split: held-out numbers are better than they should be ***\n", c.Leaks)
	}
	if c.Torn > 0 {
		fmt.Fprintf(w, "        %d of the pairs have two labels\n", c.Torn)
	}
	if len(c.Pairs) == 0 {
		return
	}
	t := newTable(w)
	t.AppendHeader(table.Row{"cosine", "image", "copy", ""})
	for _, p := range i.shownPairs() {
		cosine, remark := fmt.Sprintf("%.3f", p.Cosine), ""
		if p.Exact {
			cosine = "exact"
		}
		if p.leak() {
			remark = "leak"
		}
		if p.A.Label != p.B.Label {
			remark += " " + p.A.Label + " / " + p.B.Label
		}
		t.AppendRow(table.Row{cosine, p.A.Path, p.B.Path, remark})
	}
	t.Render()
	more(w, len(c.Pairs)-len(i.shownPairs()), copiesFile)
}

// shownPairs are leaks and pairs under two labels first, then the others.
func (i *Insight) shownPairs() []CopyPair {
	var first, rest []CopyPair
	for _, p := range i.Copies.Pairs {
		if p.leak() || p.A.Label != p.B.Label {
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
		fmt.Fprintf(w, "\nLABELS  none of %s is wrong with a chance of %.0f %% or more\n", commas(i.LabelsJudged), 100*SuspectChance)
		return
	}
	fmt.Fprintf(w, "\nLABELS  about %.0f of %s are wrong, by estimate; %s to look through, the most suspicious first, each wrong with a chance of\n",
		i.LabelsWrong, commas(i.LabelsJudged), commas(len(i.Suspects)))
	fmt.Fprintf(w, "        %.0f %% or more, by linear discriminants that never saw the image (%d folds). The others are hard images. Wrong labels\n", 100*SuspectChance, i.Folds)
	fmt.Fprintln(w, "        among classes that are hard to tell apart hide best: of these there may be more.")
	if i.FoldsOfTest > 0 {
		fmt.Fprintf(w, "        The folds take in all labelled images, the %s of test too. Who acts on a suspect in test has looked at test:\n", humanize.Comma(int64(i.FoldsOfTest)))
		fmt.Fprintln(w, "        its score is then no longer that of images which nobody chose by.")
	}
	t := newTable(w)
	t.AppendHeader(table.Row{"image", "part", "label", "looks like", "chance wrong"})
	for _, s := range i.Suspects[:min(len(i.Suspects), insightShown)] {
		t.AppendRow(table.Row{s.Path, s.Part, s.Label, s.LooksLike, percent(s.Chance)})
	}
	t.Render()
	more(w, len(i.Suspects)-insightShown, suspectsFile)
}

func (i *Insight) worstText(w io.Writer) {
	if i.WorstOf == "" {
		fmt.Fprintln(w, "\nERRORS  nothing is held out to find them on")
		return
	}
	fmt.Fprintf(w, "\nERRORS  %d of the run's head on %s, the surest first\n", len(i.Worst), i.WorstOf)
	if len(i.Worst) == 0 {
		return
	}
	t := newTable(w)
	t.AppendHeader(table.Row{"image", "is", "taken for", "with", "its own class"})
	for _, m := range i.Worst[:min(len(i.Worst), insightShown)] {
		t.AppendRow(table.Row{m.Path, m.Label, m.Predicted, fmt.Sprintf("%.3f", m.Probability), fmt.Sprintf("%.3f", m.OfLabel)})
	}
	t.Render()
	more(w, len(i.Worst)-insightShown, insightFile)
}

func (i *Insight) confusedText(w io.Writer) {
	if len(i.Confused) == 0 {
		return
	}
	fmt.Fprintln(w, "\nCONFUSED CLASSES  out of fold")
	t := newTable(w)
	t.AppendHeader(table.Row{"a", "b", "a taken for b", "b taken for a", "of both"})
	for _, c := range i.Confused[:min(len(i.Confused), insightShown)] {
		t.AppendRow(table.Row{c.A, c.B, c.AToB, c.BToA, percent(c.Share)})
	}
	t.Render()
}

func (i *Insight) curveText(w io.Writer) {
	c := i.Curve
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\nLEARNING CURVE  %d folds, equally many steps\n", c.Folds)
	t := newTable(w)
	t.AppendHeader(table.Row{"share", "images", "accuracy", "± standard error"})
	for _, p := range c.Points {
		t.AppendRow(table.Row{fmt.Sprintf("%.0f %%", 100*p.Share), humanize.Comma(int64(p.Rows)), percent(p.Accuracy), percent(p.Error)})
	}
	t.Render()
	g := c.Twice
	if g == nil {
		fmt.Fprintln(w, "no power law fits these points: no guess at what more images would bring")
		return
	}
	fmt.Fprintf(w, "Twice the images might bring %+.1f points, by other readings of these points %+.1f to %+.1f. It is a guess: a power law\n", 100*g.Gain, 100*g.Low, 100*g.High)
	fmt.Fprintln(w, "through four points says nothing sure of a fifth, and nothing at all of images of another kind.")
}

func more(w io.Writer, n int, file string) {
	if n > 0 {
		fmt.Fprintf(w, "… and %d more, in %s\n", n, file)
	}
}
