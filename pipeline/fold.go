package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/headtrain/probe"
)

// deal puts rows into folds: clusters whole, those of a class spread evenly, in the
// order of their content's hash, which no name or date has a say in.
func (i *inspection) deal(c *clusters) {
	labels := i.rows.data.Labels
	members := map[int][]int{}
	var roots []int
	for r := range labels {
		root := c.root(r)
		if root == r {
			roots = append(roots, r)
		}
		members[root] = append(members[root], r)
	}
	slices.SortFunc(roots, func(a, b int) int {
		x, y := i.item(a), i.item(b)
		return cmp.Or(cmp.Compare(labels[a], labels[b]), bytes.Compare(x.Hash[:], y.Hash[:]), cmp.Compare(a, b))
	})
	i.fold = make([]int, len(labels))
	ofClass := make([][insightFolds]int, len(i.head.Classes))
	var all [insightFolds]int
	for _, root := range roots {
		counts, best := &ofClass[labels[root]], 0
		for f := range insightFolds {
			if cmp.Or(cmp.Compare(counts[f], counts[best]), cmp.Compare(all[f], all[best])) < 0 {
				best = f
			}
		}
		for _, r := range members[root] {
			i.fold[r] = best
			ofClass[labels[r]][best]++
			all[best]++
		}
	}
}

// Suspect is an image whose label is to be doubted.
type Suspect struct {
	Path        string  `json:"path"`
	Part        string  `json:"part"`
	Label       string  `json:"label"`
	LooksLike   string  `json:"looks_like"`
	Chance      float64 `json:"chance_wrong"` // that the label is wrong
	OfLabel     float64 `json:"label_probability"`
	OfLooksLike float64 `json:"looks_like_probability"`
}

// SuspectChance is the least chance of being wrong that puts a label on the list: of
// twenty images that somebody looks at, at least one should be worth it.
const SuspectChance = 0.05

// outOfFold judges each row by a head that saw neither it nor its copies.
func (i *inspection) outOfFold(ctx context.Context, _ *job) error {
	i.progress.Start("out of fold", 0)
	d := i.rows.data
	logits, err := probe.OutOfFold(ctx, headtrain.New(), d, i.fold, insightFolds, nil, i.options)
	if err != nil {
		return err
	}
	i.insight.Folds, i.unseen = insightFolds, logits
	if i.insight.OutOfFold, err = judge.Evaluate(logits, d.Labels, i.head.Classes); err != nil {
		return err
	}
	i.insight.Confused = confusions(i.insight.OutOfFold.Confusion, i.head.Classes)
	return i.suspect(ctx)
}

// suspect lists the labels that are wrong with some chance, the likeliest first. Heads
// of another kind than the run's say so: they are better at it, and calibrated.
func (i *inspection) suspect(ctx context.Context) error {
	d, k := i.rows.data, len(i.head.Classes)
	doubts, err := probe.Labels(ctx, d, i.fold, insightFolds)
	if err != nil {
		return err
	}
	i.insight.LabelsJudged, i.insight.LabelsWrong = doubts.Judged, doubts.Wrong
	found := []Suspect{}
	probs := make([]float64, k)
	for r, y := range d.Labels {
		if doubts.Of[r] < SuspectChance {
			continue
		}
		best := judge.Softmax(probs, doubts.Logits[r*k:(r+1)*k], 1)
		if best != int(y) {
			found = append(found, Suspect{i.path(r), i.item(r).Part.String(), i.head.Classes[y], i.head.Classes[best], doubts.Of[r], probs[y], probs[best]})
		}
	}
	slices.SortStableFunc(found, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Chance, a.Chance), cmp.Compare(b.OfLooksLike, a.OfLooksLike))
	})
	i.insight.Suspects = found
	return nil
}

// confusedShown is how many pairs of classes an insight has.
const confusedShown = 20

// confusions lists the pairs of classes that are taken for each other most.
func confusions(matrix [][]int, classes []string) []Confusion {
	all := []Confusion{}
	total := make([]int, len(matrix))
	for a, line := range matrix {
		for _, n := range line {
			total[a] += n
		}
	}
	for a := range matrix {
		for b := range a {
			if n := matrix[a][b] + matrix[b][a]; n > 0 {
				all = append(all, Confusion{classes[b], classes[a], matrix[b][a], matrix[a][b], float64(n) / float64(total[a]+total[b])})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Confusion) int { return cmp.Compare(y.AToB+y.BToA, x.AToB+x.BToA) })
	return all[:min(len(all), confusedShown)]
}
