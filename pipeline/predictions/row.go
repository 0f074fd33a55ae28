package predictions

import (
	"cmp"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// Unknown is the label of an image of which a head is less sure than its threshold.
const Unknown = "unknown"

// Row is what a head says of one image.
type Row struct {
	Path  string // as the caller names the image; any bytes
	Part  string // of an evaluation: train, val, test or all
	Truth string // of an evaluation: the image's own label

	Label         string    // a class, or Unknown
	Probability   float64   // of the likeliest class, from 0 to 1
	Unknown       bool      // Probability is below the head's threshold
	Probabilities []float64 // one a class, in the order of the head; nil where Err is set
	Err           string    // why there is no answer; "" where there is one

	Evidence string // the file with a map of what speaks for the likeliest class; "" is none
	Against  string // the class against which it speaks there

	likeliest int
}

// Answer fills r, but for Path, Part and Truth, from the head's logits of one row of
// features; it has no map of evidence. It reuses r.Probabilities.
func (r *Row) Answer(h *headtrain.Head, logits []float32) {
	r.Probabilities = slices.Grow(r.Probabilities[:0], len(logits))[:len(logits)]
	r.likeliest = judge.Softmax(r.Probabilities, logits, cmp.Or(h.Temperature, 1))
	r.Label, r.Probability, r.Err = h.Classes[r.likeliest], r.Probabilities[r.likeliest], ""
	r.Evidence, r.Against = "", ""
	if r.Unknown = r.Probability < h.Threshold; r.Unknown {
		r.Label = Unknown
	}
}

// Fail fills r, but for Path, Part and Truth, with the reason why there is no answer.
func (r *Row) Fail(reason string) {
	*r = Row{Path: r.Path, Part: r.Part, Truth: r.Truth, Err: reason}
}

// Top returns the k likeliest of the classes, best first, or all if there are fewer;
// classes are those of the head. It is nil where there is no answer.
func (r *Row) Top(classes []string, k int) []headtrain.Prediction {
	if r.Probabilities == nil {
		return nil
	}
	all := make([]headtrain.Prediction, len(classes))
	for c, name := range classes {
		all[c] = headtrain.Prediction{Class: name, Index: c, Probability: r.Probabilities[c]}
	}
	slices.SortStableFunc(all, func(a, b headtrain.Prediction) int {
		if by := cmp.Compare(b.Probability, a.Probability); by != 0 || a.Index == b.Index {
			return by
		}
		return cmp.Compare(r.rank(a.Index), r.rank(b.Index)) // the likeliest by its logit is first of equals
	})
	return all[:min(max(k, 0), len(all))]
}

func (r *Row) rank(class int) int {
	if class == r.likeliest {
		return 0
	}
	return 1
}
