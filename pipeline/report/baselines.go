package report

import (
	"cmp"
	"fmt"
	"io"

	"icebox/headtrain/judge"
	"icebox/pipeline/words"
)

// Baselines hold a run's head against methods with nothing to tune.
type Baselines struct {
	Part  string           `json:"part"` // that they were judged on
	Found []judge.Baseline `json:"found"`
}

// verdict is what a baseline says of a head.
type verdict int

const (
	beaten        verdict = iota // or the head makes no mistake, which cannot be beaten
	aheadByChance                // or level
	clearlyAhead
)

func verdictOn(b *judge.Baseline) verdict {
	switch {
	case b.Beaten() || b.Head == 1:
		return beaten
	case b.ByChance():
		return aheadByChance
	}
	return clearlyAhead
}

// Best is the baseline that says the worst of the head; among equals, the one that
// the head has least over.
func (b *Baselines) Best() *judge.Baseline {
	best := &b.Found[0]
	for i := range b.Found {
		f := &b.Found[i]
		worse := cmp.Or(cmp.Compare(verdictOn(f), verdictOn(best)), cmp.Compare(f.Accuracy-f.Head, best.Accuracy-best.Head))
		if worse > 0 {
			best = f
		}
	}
	return best
}

// Verdict is what the best baseline says of the head: nothing, that the two are level or
// apart by chance, in a sentence, or that the head does not beat it.
func (b *Baselines) Verdict() (text string, clearly bool) {
	best := b.Best()
	switch verdictOn(best) {
	case clearlyAhead:
		return fmt.Sprintf("THE TRAINED HEAD DOES NOT BEAT A BASELINE: %s: %s of %s right%s, the head %s",
			best.Name, words.Percent(best.Accuracy), words.Count(best.Rows, b.Part+" image"), baselineSample(best), words.Percent(best.Head)), true
	case aheadByChance:
		return b.byChance(best), false
	}
	return "", false
}

// byChance says in a sentence that f is not beaten, where that is no verdict.
func (b *Baselines) byChance(f *judge.Baseline) string {
	if f.OnlyIt == f.OnlyHead {
		return fmt.Sprintf("the head is level with the baseline %s: both have %s of %s right", f.Name, words.Percent(f.Head), words.Count(f.Rows, b.Part+" image"))
	}
	return fmt.Sprintf("the baseline %s has %s%s right and the head %s; the gap is no larger than chance would give (%s)",
		f.Name, words.Percent(f.Accuracy), baselineSample(f), words.Percent(f.Head), words.Count(f.Rows, b.Part+" image"))
}

// baselineSample says in brackets, after a space, what b's numbers were sampled
// from; "" where they are of all images.
func baselineSample(b *judge.Baseline) string {
	if b.Rows == b.RowsOf && b.Learned == b.LearnedOf {
		return ""
	}
	return fmt.Sprintf(" (%s of %s queries, %s of %s rows)", words.Number(b.Rows), words.Number(b.RowsOf), words.Number(b.Learned), words.Number(b.LearnedOf))
}

// text writes b in one line.
func (b *Baselines) text(w io.Writer, head float64) {
	fmt.Fprintf(w, "baselines   on %s: ", b.Part)
	for _, f := range b.Found {
		fmt.Fprintf(w, "%s %s%s, ", f.Name, words.Percent(f.Accuracy), baselineSample(&f))
	}
	fmt.Fprintf(w, "this head %s\n", words.Percent(head))
	switch best := b.Best(); verdictOn(best) {
	case clearlyAhead:
		fmt.Fprintf(w, "\n*** THE TRAINED HEAD DOES NOT BEAT %s: see the note above ***\n", best.Name)
	case aheadByChance:
		fmt.Fprintf(w, "            (%s)\n", b.byChance(best))
	}
}
