package headtrain

import (
	"math"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
)

// lossAt is the objective in float64 straight from its definition, with
// weights in PyTorch's order, biases last.
func lossAt(params []float64, d *Dataset, rows []int32, weight []float64, smoothing float64) float64 {
	k := len(d.Classes)
	loss, sum := 0.0, 0.0
	for _, r := range rows {
		z := make([]float64, k)
		norm := 0.0
		for c := range z {
			z[c] = params[k*d.Dim+c]
			for j, v := range d.Row(int(r)) {
				z[c] += params[c*d.Dim+j] * float64(v)
			}
			norm += math.Exp(z[c])
		}
		y := d.Labels[r]
		loss += (1 - smoothing) * weight[y] * (math.Log(norm) - z[y])
		for c := range z {
			loss += smoothing / float64(k) * weight[c] * (math.Log(norm) - z[c])
		}
		sum += weight[y]
	}
	return loss / sum
}

// One step of plain descent at rate 1 moves the weights by the gradient.
func TestGradientEqualsFiniteDifferences(t *testing.T) {
	const tolerance, h = 2e-6, 1e-5
	d := clusters(170, 9, 4, 5)
	weights := map[string]float64{"class 0": 1, "class 1": 2.5, "class 2": 0.25, "class 3": 1}
	o := Options{Input: InputNone, Optimizer: OptimizerSGD, LR: 1, LabelSmoothing: 0.15, ClassWeights: ClassWeights{Map: weights}}
	s := newTestStack(t, kernel.Best(), Job{Train: d, Heads: []Options{o}})
	f := s.heads[0]
	before, err := f.head(s, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows := s.train.Rows[:167] // a whole chunk and part of another
	s.trainBatch(rows, nil)
	after, err := f.head(s, 1)
	if err != nil {
		t.Fatal(err)
	}
	w0, w1 := append(before.W, before.B...), append(after.W, after.B...)
	params := make([]float64, len(w0))
	for i, v := range w0 {
		params[i] = float64(v)
	}
	for i := range params {
		at := params[i]
		params[i] = at + h
		up := lossAt(params, d, rows, f.objective.weight, o.LabelSmoothing)
		params[i] = at - h
		down := lossAt(params, d, rows, f.objective.weight, o.LabelSmoothing)
		params[i] = at
		if got, want := float64(w0[i])-float64(w1[i]), (up-down)/(2*h); !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
			t.Errorf("gradient of parameter %d is %v, by finite differences %v", i, got, want)
		}
	}
}

// A batch of rows that all weigh nothing must leave the weights alone.
func TestWeightlessBatchChangesNothing(t *testing.T) {
	d := clusters(20, 5, 2, 1)
	o := Options{Input: InputNone, Optimizer: OptimizerSGD, LabelSmoothing: 0.1, ClassWeights: ClassWeights{Map: map[string]float64{"class 0": 0}}}
	s := newTestStack(t, kernel.Best(), Job{Train: d, Heads: []Options{o}})
	f := s.heads[0]
	before := append([]float32(nil), f.params...)
	s.trainBatch([]int32{0, 2, 4}, nil)
	if weight := f.weight; weight != 0 || !testkit.SameBits(before, f.params) {
		t.Errorf("a weight of %v moved the weights by %v", weight, testkit.Worst(before, f.params))
	}
	s.trainBatch([]int32{1, 3}, nil)
	if testkit.SameBits(before, f.params) {
		t.Error("a batch with weight changed nothing either")
	}
}
