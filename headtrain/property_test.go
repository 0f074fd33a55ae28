package headtrain

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
)

// optimizers are those that take steps, each with what it has of its own.
var optimizers = []Options{
	{Optimizer: OptimizerAdam, LR: 0.01, WeightDecay: 0.02},
	{Optimizer: OptimizerAdamW, LR: 0.01, WeightDecay: 0.1},
	{Optimizer: OptimizerSGD, LR: 0.05, Momentum: 0.9, Nesterov: true},
}

// stepsFrom takes a step on each batch and returns the weights, class by class.
func stepsFrom(t testing.TB, d *Dataset, o Options, start []Layer, batches [][]int32) *Head {
	s := newTestStack(t, kernel.Best(), Job{Train: d, Heads: []Options{o}})
	copy(s.params, start[0].params())
	for _, rows := range batches {
		s.trainBatch(rows, nil)
	}
	h, err := s.heads[0].head(s, 1)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func drawBatches(rt *rapid.T, rows int) [][]int32 {
	return rapid.SliceOfN(rapid.SliceOfN(rapid.Int32Range(0, int32(rows-1)), 1, 90), 1, 6).Draw(rt, "batches")
}

// The loss is a mean over the batch: to have each row of a batch twice changes
// nothing.
func TestStepsIgnoreRepetition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := clusters(50, 20, 4, rapid.Uint64().Draw(rt, "data"))
		batches := drawBatches(rt, 50)
		twice := make([][]int32, len(batches))
		for i, b := range batches {
			twice[i] = append(append(twice[i], b...), b...)
		}
		for _, o := range optimizers {
			start := initialLayers(o.WithDefaults(), 20, 4)
			a, b := stepsFrom(t, d, o, start, batches), stepsFrom(t, d, o, start, twice)
			if w := max(testkit.Worst(a.W, b.W), testkit.Worst(a.B, b.B)); !(w < 1e-3) {
				rt.Errorf("%s: weights differ by %v", o.Optimizer, w)
			}
		}
	})
}

// Classes in another order, from weights in that order, give the head in that
// order.
func TestStepsPermuteWithTheClasses(t *testing.T) {
	const k, dim = 5, 20
	rapid.Check(t, func(rt *rapid.T) {
		d := clusters(50, dim, k, rapid.Uint64().Draw(rt, "data"))
		batches := drawBatches(rt, 50)
		order := rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(rt, "order") // of old classes
		other := &Dataset{X: d.X, Dim: dim, Labels: make([]int32, len(d.Labels)), Classes: make([]string, k)}
		place := make([]int32, k)
		for c, old := range order {
			other.Classes[c], place[old] = d.Classes[old], int32(c)
		}
		for r, y := range d.Labels {
			other.Labels[r] = place[y]
		}
		for _, o := range optimizers {
			start := initialLayers(o.WithDefaults(), dim, k)
			moved := []Layer{start[0].clone()}
			for c, old := range order {
				copy(moved[0].W[c*dim:(c+1)*dim], start[0].W[old*dim:])
				moved[0].B[c] = start[0].B[old]
			}
			a, b := stepsFrom(t, d, o, start, batches), stepsFrom(t, other, o, moved, batches)
			for c, old := range order {
				w := testkit.Worst(a.W[old*dim:(old+1)*dim], b.W[c*dim:(c+1)*dim])
				if w = max(w, math.Abs(float64(a.B[old]-b.B[c]))); !(w < 1e-3) {
					rt.Errorf("%s: the weights of %s differ by %v", o.Optimizer, d.Classes[old], w)
				}
			}
		}
	})
}
