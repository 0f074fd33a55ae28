package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"icebox/headtrain"
)

// Baselines hold a run's head against methods with nothing to tune.
type Baselines struct {
	Part  string               `json:"part"` // that they were judged on
	Found []headtrain.Baseline `json:"found"`
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
	found, err := headtrain.Baselines(ctx, t.parts[TrainPart].data, val, t.parts[part].data, t.result.Head)
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
		if strings.HasPrefix(best.Name, headtrain.NearestName) {
			advice = "images that nearly repeat may lie in two parts (`icebox insight` lists them); else " + advice
		}
		j.warn("THE TRAINED HEAD DOES NOT BEAT A BASELINE: %s: %s of %d %s images right, the head %s; %s",
			best.Name, percent(best.Accuracy), best.Rows, part, percent(best.Head), advice)
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

func verdictOn(b *headtrain.Baseline) verdict {
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
func (b *Baselines) best() *headtrain.Baseline {
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
func (b *Baselines) byChance(f *headtrain.Baseline) string {
	if f.OnlyIt == f.OnlyHead {
		return fmt.Sprintf("the head is level with the baseline %s: both have %s of %s %s images right", f.Name, percent(f.Head), commas(f.Rows), b.Part)
	}
	return fmt.Sprintf("the baseline %s has %s right and the head %s: ahead by no more than chance would give (%s %s images)",
		f.Name, percent(f.Accuracy), percent(f.Head), commas(f.Rows), b.Part)
}

// sampleText says which baselines were judged on a sample, or know one.
func (b *Baselines) sampleText(w io.Writer) {
	all := b.Found[0]
	var names []string
	for i, f := range b.Found {
		names = append(names, f.Name)
		if i+1 < len(b.Found) && b.Found[i+1].Rows == f.Rows && b.Found[i+1].Learned == f.Learned {
			continue // the same may be said of the next
		}
		if f.Rows < all.Rows || f.Learned < all.Learned {
			fmt.Fprintf(w, "            (to save time, %s: judged on %s of %s %s images, from %s of %s training images)\n",
				strings.Join(names, ", "), commas(f.Rows), commas(all.Rows), b.Part, commas(f.Learned), commas(all.Learned))
		}
		names = nil
	}
}

// text writes b in one line.
func (b *Baselines) text(w io.Writer, head float64) {
	fmt.Fprintf(w, "baselines   on %s: ", b.Part)
	for _, f := range b.Found {
		fmt.Fprintf(w, "%s %s, ", f.Name, percent(f.Accuracy))
	}
	fmt.Fprintf(w, "this head %s", percent(head))
	fmt.Fprintln(w)
	b.sampleText(w)
	switch best := b.best(); verdictOn(best) {
	case clearlyAhead:
		fmt.Fprintf(w, "\n*** THE TRAINED HEAD DOES NOT BEAT %s: see the note above ***\n", best.Name)
	case aheadByChance:
		fmt.Fprintf(w, "            (%s)\n", b.byChance(best))
	}
}
