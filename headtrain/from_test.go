package headtrain

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// A head that begins at another one comes to the optimum of its own rows, in fewer passes.
func TestLBFGSBeginsAtAHead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	d := &Dataset{Dim: 24, Classes: []string{"a", "b", "c"}}
	for r := range 900 {
		y := int32(r % 3)
		d.Labels = append(d.Labels, y)
		for j := range d.Dim {
			d.X = append(d.X, float32(rng.NormFloat64()+3+map[bool]float64{true: 1.5}[j%3 == int(y)]))
		}
	}
	o := Options{Optimizer: OptimizerLBFGS, Epochs: 1000, WeightDecay: 0.01}
	for _, input := range []string{InputStandardise, InputNone, InputL2} {
		o.Input = input
		fit := func(job Job) Result {
			t.Helper()
			job.Train, job.Heads = d, []Options{o}
			r, err := New().Fit(context.Background(), job)
			if err != nil {
				t.Fatal(err)
			}
			return r[0]
		}
		before := fit(Job{})
		for r := range 10 {
			d.Labels[r] = (d.Labels[r] + 1) % 3
		}
		from := *before.Head
		from.Classes, from.W, from.B = []string{"b", "c", "x"}, from.W[d.Dim:], from.B[1:] // a class is new, another is gone
		from.W, from.B = append(from.W[:len(from.W):len(from.W)], make([]float32, d.Dim)...), append(from.B[:2:2], 0)
		cold, warm, odd, near := fit(Job{}), fit(Job{From: before.Head}), fit(Job{From: &from}), fit(Job{From: before.Head, Tolerance: 1e-4})
		for i, w := range cold.Head.W {
			if math.Abs(float64(w-warm.Head.W[i])) > 1e-4*max(1, math.Abs(float64(w))) || math.Abs(float64(w-odd.Head.W[i])) > 1e-4*max(1, math.Abs(float64(w))) {
				t.Fatalf("%s: weight %d is %v from 0, %v from a head, %v from another", input, i, w, warm.Head.W[i], odd.Head.W[i])
			}
		}
		if len(warm.History) >= len(cold.History) || len(near.History) >= len(warm.History) {
			t.Errorf("%s: %d iterations from 0, %d from a head, %d to near the optimum", input, len(cold.History), len(warm.History), len(near.History))
		}
		for r := range 10 {
			d.Labels[r] = (d.Labels[r] + 2) % 3
		}
	}
}
