package headtrain

import (
	"maps"
	"slices"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
)

// objective is the training loss, torch.nn.CrossEntropyLoss with weight,
// label_smoothing and mean reduction. For a row of class y, with p the softmax
// of its logits, over a batch whose rows' class weights add up to S:
//
//	loss    = (1/S) Σ rows [ (1-ε)·w[y]·(-ln p[y]) + ε/k·Σ_c w[c]·(-ln p[c]) ]
//	dz[r][c] = p[c]·soft[y]/S - spread[c]/S - (c==y)·hot[y]/S
//	soft[y] = (1-ε)·w[y] + ε/k·Σw    spread[c] = ε/k·w[c]    hot[y] = (1-ε)·w[y]
type objective struct {
	weight    []float64
	total     float64 // Σ weight
	smoothing float64 // ε

	table kernel.LossTable // soft, hot and spread, divided by S, for the current batch
}

// plain reports whether the loss is the mean cross-entropy of the rows.
func (o *objective) plain() bool {
	return o.smoothing == 0 && !slices.ContainsFunc(o.weight, func(w float64) bool { return w != 1 })
}

func newLossTable(classes int) kernel.LossTable {
	return kernel.LossTable{Soft: make([]float32, classes), Hot: make([]float32, classes), Spread: make([]float32, classes)}
}

// plainLoss is the cross-entropy of a row, without weights or smoothing.
func plainLoss(classes int) kernel.LossTable {
	t := newLossTable(classes)
	for c := range t.Hot {
		t.Soft[c], t.Hot[c] = 1, 1
	}
	return t
}

func newObjective(o Options, s *labelled.Set) *objective {
	obj := &objective{
		weight: classWeights(o.ClassWeights, s), smoothing: o.LabelSmoothing, table: newLossTable(len(s.Classes)),
	}
	for _, w := range obj.weight {
		obj.total += w
	}
	return obj
}

func classWeights(o ClassWeights, s *labelled.Set) []float64 {
	weight := make([]float64, len(s.Classes))
	counts := s.Counts()
	for c, name := range s.Classes {
		weight[c] = 1
		if w, ok := o.Map[name]; ok {
			weight[c] = w
		}
		if o.Mode == WeightsBalanced {
			weight[c] = 0
			if counts[c] > 0 {
				weight[c] = float64(len(s.Rows)) / (float64(len(counts)) * float64(counts[c]))
			}
		}
	}
	return weight
}

// check reports weights that do not fit the training rows.
func (o ClassWeights) check(s *labelled.Set) error {
	var f faults
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		f.check(slices.Contains(s.Classes, name), "ClassWeights.Map", "names %q, which is no class of the training set", name)
	}
	weight := classWeights(o, s)
	weighs := slices.ContainsFunc(s.Rows, func(r int32) bool { return weight[s.Labels[r]] > 0 })
	f.check(weighs, "ClassWeights", "must give a class that has training rows a weight of more than 0")
	return f.err()
}

// setBatch prepares the table for a batch with counts[c] rows of class c, and returns
// S. If S is 0, so is the gradient of the batch.
func (o *objective) setBatch(counts []int32) float64 {
	sum, inverse := 0.0, 0.0
	for c, n := range counts {
		sum += float64(o.weight[c] * float64(n))
	}
	if sum > 0 {
		inverse = 1 / sum
	}
	even := o.smoothing / float64(len(o.weight))
	t := &o.table
	for c, w := range o.weight {
		hot := float64((1 - o.smoothing) * w)
		t.Hot[c] = float32(hot * inverse)
		t.Soft[c] = float32((hot + float64(even*o.total)) * inverse)
		t.Spread[c] = float32(float64(even*w) * inverse)
	}
	t.Total = float32(float64(even*o.total) * inverse)
	return sum
}
