package headtrain

import (
	"math"
	"slices"

	"icebox/headtrain/internal/kernel"
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

	// soft, hot and spread over S, for the batch at hand; spread has the
	// padded length of a row of logits.
	soft, hot, spread []float32
}

func newObjective(o Options, s *rowSet) *objective {
	k := len(s.Classes)
	obj := &objective{
		weight: classWeights(o.ClassWeights, s), smoothing: o.LabelSmoothing,
		soft: make([]float32, k), hot: make([]float32, k), spread: make([]float32, kernel.RoundUp(k)),
	}
	for _, w := range obj.weight {
		obj.total += w
	}
	return obj
}

func classWeights(o ClassWeights, s *rowSet) []float64 {
	weight := make([]float64, len(s.Classes))
	counts := s.counts()
	for c, name := range s.Classes {
		weight[c] = 1
		if w, ok := o.Map[name]; ok {
			weight[c] = w
		}
		if o.Mode == WeightsBalanced {
			weight[c] = 0
			if counts[c] > 0 {
				weight[c] = float64(len(s.rows)) / (float64(len(counts)) * float64(counts[c]))
			}
		}
	}
	return weight
}

// check reports weights that do not fit the training rows.
func (o ClassWeights) check(s *rowSet) error {
	var f faults
	for _, name := range sortedKeys(o.Map) {
		f.check(slices.Contains(s.Classes, name), "class_weights: there is no class %q", name)
	}
	weight := classWeights(o, s)
	weighs := slices.ContainsFunc(s.rows, func(r int32) bool { return weight[s.Labels[r]] > 0 })
	f.check(weighs, "class_weights: every training row weighs 0")
	return f.err(ErrOptions)
}

// setBatch prepares soft, hot and spread for the rows of a batch and returns
// S. A batch that weighs nothing has the gradient 0.
func (o *objective) setBatch(s *rowSet, rows []int32) float64 {
	sum, inverse := 0.0, 0.0
	for _, r := range rows {
		sum += o.weight[s.Labels[r]]
	}
	if sum > 0 {
		inverse = 1 / sum
	}
	even := o.smoothing / float64(len(o.weight))
	for c, w := range o.weight {
		hot := float64((1 - o.smoothing) * w)
		o.hot[c] = float32(hot * inverse)
		o.soft[c] = float32((hot + float64(even*o.total)) * inverse)
		o.spread[c] = float32(float64(even*w) * inverse)
	}
	return sum
}

// rowLoss returns the summand of a row, not divided by S. logSum is the
// logarithm of the sum of the exponentials of its logits z.
func (o *objective) rowLoss(z []float32, y int32, logSum float64) float64 {
	loss := float64(o.weight[y] * (logSum - float64(z[y])))
	if o.smoothing == 0 {
		return loss
	}
	smooth := 0.0
	for c, w := range o.weight {
		smooth += float64(w * (logSum - float64(z[c])))
	}
	return float64((1-o.smoothing)*loss) + float64(o.smoothing/float64(len(o.weight))*smooth)
}

// logSumExp returns the logarithm of a sum of exponentials whose largest
// exponent, top, was taken out of the sum.
func logSumExp(sum, top float32) float64 { return ln(float64(sum)) + float64(top) }

// isFirstMax tells whether y is the class that argmax picks: the first of the
// largest.
func isFirstMax(z []float32, y int32, top float32) bool {
	return z[y] == top && !slices.Contains(z[:y], top)
}

func allFinite(v []float32) bool { return !slices.ContainsFunc(v, notFinite) }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
