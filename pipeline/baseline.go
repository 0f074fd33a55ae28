package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// Baselines hold a run's head against methods with nothing to tune.
type Baselines struct {
	Part  string           `json:"part"` // that they were judged on
	Found []judge.Baseline `json:"found"`
}

// judgeBaselines judges them on the part that the head is reported on, and says so
// if the head is no better: loudly where the gap is clear, else calmly.
func (j *job) judgeBaselines(ctx context.Context) error {
	t := j.train
	part, val := TestPart, t.parts[ValPart].data
	if len(t.parts[TestPart].items) == 0 {
		part, val = ValPart, nil
	}
	if val != nil && len(val.Labels) == 0 {
		val = nil
	}
	if len(t.parts[part].items) == 0 {
		return nil
	}
	found, err := judge.Baselines(ctx, t.parts[TrainPart].data, val, t.parts[part].data, t.result.Head)
	if err != nil {
		return err
	}
	t.baselines = &Baselines{Part: part.String(), Found: found}
	best := t.baselines.best()
	t.counts.Baseline = best
	switch verdictOn(best) {
	case clearlyAhead:
		advice := "try more head.epochs, another head.lr or some head.weight_decay"
		if j.opts.Head.Optimizer == headtrain.OptimizerLBFGS {
			advice = "try another head.weight_decay" // more epochs, if they are wanting, are noted
		}
		if strings.HasPrefix(best.Name, judge.Nearest) {
			advice = "images that nearly repeat may lie in two parts (`icebox insight` lists them); else " + advice
		}
		j.warn("THE TRAINED HEAD DOES NOT BEAT A BASELINE: %s: %s of %d %s images right%s, the head %s; %s",
			best.Name, percent(best.Accuracy), best.Rows, part, BaselineSample(best), percent(best.Head), advice)
	case aheadByChance:
		j.warn("%s", t.baselines.byChance(best))
	}
	return nil
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

// best is the baseline that says the worst of the head; among equals, the one that
// the head has least over.
func (b *Baselines) best() *judge.Baseline {
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

// byChance says in a sentence that f is not beaten, where that is no verdict.
func (b *Baselines) byChance(f *judge.Baseline) string {
	if f.OnlyIt == f.OnlyHead {
		return fmt.Sprintf("the head is level with the baseline %s: both have %s of %s %s images right", f.Name, percent(f.Head), commas(f.Rows), b.Part)
	}
	return fmt.Sprintf("the baseline %s has %s%s right and the head %s: ahead by no more than chance would give (%s %s images)",
		f.Name, percent(f.Accuracy), BaselineSample(f), percent(f.Head), commas(f.Rows), b.Part)
}

// BaselineSample says in brackets, after a space, what b's numbers were sampled
// from; "" where they are of all images.
func BaselineSample(b *judge.Baseline) string {
	if b.Rows == b.RowsOf && b.Learned == b.LearnedOf {
		return ""
	}
	return fmt.Sprintf(" (%s of %s queries, %s of %s rows)", commas(b.Rows), commas(b.RowsOf), commas(b.Learned), commas(b.LearnedOf))
}

// text writes b in one line.
func (b *Baselines) text(w io.Writer, head float64) {
	fmt.Fprintf(w, "baselines   on %s: ", b.Part)
	for _, f := range b.Found {
		fmt.Fprintf(w, "%s %s%s, ", f.Name, percent(f.Accuracy), BaselineSample(&f))
	}
	fmt.Fprintf(w, "this head %s\n", percent(head))
	switch best := b.best(); verdictOn(best) {
	case clearlyAhead:
		fmt.Fprintf(w, "\n*** THE TRAINED HEAD DOES NOT BEAT %s: see the note above ***\n", best.Name)
	case aheadByChance:
		fmt.Fprintf(w, "            (%s)\n", b.byChance(best))
	}
}
