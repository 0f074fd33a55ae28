package insight

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"icebox/headtrain/probe"
)

// deal puts rows into folds: clusters whole, those of a class spread evenly, in the
// order of their content's hash, which no name or date has a say in. Rows without a label
// are in fold 0.
func (s *Set) deal(c *clusters) []int {
	labels := s.Data.Labels
	members := map[int][]int{}
	var roots []int
	for r := range labels {
		if labels[r] < 0 {
			continue
		}
		root := c.root(r)
		if members[root] == nil {
			roots = append(roots, r)
		}
		members[root] = append(members[root], r)
	}
	slices.SortFunc(roots, func(a, b int) int {
		x, y := &s.Images[a], &s.Images[b]
		return cmp.Or(cmp.Compare(labels[a], labels[b]), bytes.Compare(x.Hash[:], y.Hash[:]), cmp.Compare(a, b))
	})
	fold := make([]int, len(labels))
	ofClass := make([][Folds]int, len(s.Data.Classes))
	var all [Folds]int
	for _, first := range roots {
		counts, best := &ofClass[labels[first]], 0
		for f := range Folds {
			if cmp.Or(cmp.Compare(counts[f], counts[best]), cmp.Compare(all[f], all[best])) < 0 {
				best = f
			}
		}
		for _, r := range members[c.root(first)] {
			fold[r] = best
			ofClass[labels[r]][best]++
			all[best]++
		}
	}
	return fold
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

// suspect lists the labels that are wrong with some chance, the likeliest first. Heads
// of another kind than the run's say so: they are better at it, and calibrated.
func (s *Set) suspect(ctx context.Context, fold []int, f *Findings) error {
	d := s.Data
	doubts, err := probe.Labels(ctx, d, fold, Folds)
	if err != nil {
		return err
	}
	f.LabelsJudged, f.LabelsWrong = doubts.Judged, doubts.Wrong
	f.Suspects = []Suspect{}
	for r, doubt := range doubts.Rows {
		if !s.Images[r].Confirmed && doubt.Chance >= SuspectChance && doubt.LooksLike != int(d.Labels[r]) {
			ref := s.Images[r].Ref
			f.Suspects = append(f.Suspects, Suspect{ref.Path, ref.Part, ref.Label, d.Classes[doubt.LooksLike], doubt.Chance, doubt.OfLabel, doubt.OfLooksLike})
		}
	}
	slices.SortStableFunc(f.Suspects, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Chance, a.Chance), cmp.Compare(b.OfLooksLike, a.OfLooksLike))
	})
	return nil
}

// Confusion is two classes that are taken for each other, out of fold.
type Confusion struct {
	A     string  `json:"a"`
	B     string  `json:"b"`
	AToB  int     `json:"a_to_b"` // images of A taken for B
	BToA  int     `json:"b_to_a"`
	Share float64 `json:"share"` // of the images of both
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
