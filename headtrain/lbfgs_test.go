package headtrain

import (
	"context"
	"fmt"
	"math"
	"testing"

	"icebox/headtrain/internal/kernel"
)

// penalty is weight_decay/2·‖W‖².
func penalty(h *Head, decay float64) float64 {
	sum := 0.0
	for _, w := range h.W {
		sum += float64(w) * float64(w)
	}
	return decay / 2 * sum
}

func TestLBFGSEqualsScikitLearn(t *testing.T) {
	var fixture struct {
		Dim, Classes int
		X            []float32
		Labels       []int32
		Cases        []struct {
			C               float64
			Balanced        bool
			Loss, Objective float64
			W               []float32
		}
	}
	readFixture(t, "lbfgs.json", &fixture)
	d := &Dataset{X: fixture.X, Dim: fixture.Dim, Labels: fixture.Labels, Classes: classNames(fixture.Classes)}
	for _, c := range fixture.Cases {
		for _, isa := range kernel.Available() {
			o := Options{Optimizer: OptimizerLBFGS, Input: InputNone, Epochs: 500, WeightDecay: 1 / (c.C * float64(d.Rows()))}
			if c.Balanced {
				o.ClassWeights.Mode = WeightsBalanced
			}
			results, err := linear{isa}.Fit(context.Background(), Job{Train: d, Heads: []Options{o}})
			if err != nil {
				t.Fatal(err)
			}
			r := results[0]
			last := r.History[len(r.History)-1]
			if got := last.TrainLoss + penalty(r.Head, o.WeightDecay); math.Abs(got-c.Objective) > 1e-6 || math.Abs(last.TrainLoss-c.Loss) > 1e-4 {
				t.Errorf("C=%v, %v: loss %v, objective %v; scikit-learn's are %v and %v", c.C, isa, last.TrainLoss, got, c.Loss, c.Objective)
			}
			if w := worst(r.Head.W, c.W); w > 2e-3 || r.Stopped != StoppedConverged {
				t.Errorf("C=%v, %v: weights are off by %v, stopped by %s after %d", c.C, isa, w, r.Stopped, len(r.History))
			}
		}
	}
}

func lbfgsOptions() Options {
	return Options{Optimizer: OptimizerLBFGS, Epochs: 300, WeightDecay: 0.02}
}

func TestLBFGSIsTheSameAtAnyNumberOfThreads(t *testing.T) {
	job := Job{Train: clusters(2500, 30, 12, 1), Val: clusters(90, 30, 12, 2)}
	o := lbfgsOptions()
	o.Threads = 1
	want := fitOne(t, job, o)
	for _, n := range []int{2, 8} {
		o.Threads = n
		if got := fitOne(t, job, o); !sameHead(got.Head, want.Head) || got.TrainLoss != want.TrainLoss {
			t.Errorf("%d threads give another head than 1", n)
		}
	}
	if want.Stopped != StoppedConverged {
		t.Errorf("stopped by %s after %d iterations", want.Stopped, len(want.History))
	}
}

func TestLBFGSStopsAtTheLimit(t *testing.T) {
	o := lbfgsOptions()
	o.Epochs = 3
	r := fitOne(t, Job{Train: clusters(300, 30, 4, 1)}, o)
	if r.Stopped != StoppedEpochs || len(r.History) != 3 {
		t.Errorf("stopped by %s after %d iterations", r.Stopped, len(r.History))
	}
	for i, e := range r.History[1:] {
		if e.TrainLoss >= r.History[i].TrainLoss {
			t.Errorf("iteration %d raised the loss", e.Epoch)
		}
	}
}

// The optimum knows nothing of the order of classes, nor of how often the whole
// set is repeated.
func TestOptimumIgnoresOrderOfClassesAndRepetition(t *testing.T) {
	d := clusters(120, 9, 4, 1)
	want := fitOne(t, Job{Train: d}, lbfgsOptions()).Head

	twice := &Dataset{X: append(append([]float32(nil), d.X...), d.X...), Dim: d.Dim, Labels: append(append([]int32(nil), d.Labels...), d.Labels...), Classes: d.Classes}
	if w := worst(fitOne(t, Job{Train: twice}, lbfgsOptions()).Head.W, want.W); w > 1e-3 {
		t.Errorf("every row twice moves the weights by %v", w)
	}

	k := int32(len(d.Classes))
	turned := &Dataset{X: d.X, Dim: d.Dim, Classes: d.Classes}
	for _, y := range d.Labels {
		turned.Labels = append(turned.Labels, (y+1)%k)
	}
	got := fitOne(t, Job{Train: turned}, lbfgsOptions()).Head
	for c := range int(k) {
		to := (c + 1) % int(k)
		if w := worst(got.W[to*d.Dim:(to+1)*d.Dim], want.W[c*d.Dim:(c+1)*d.Dim]); w > 1e-3 {
			t.Errorf("class %d as class %d has weights off by %v", c, to, w)
		}
	}
}

func TestFindLR(t *testing.T) {
	job := Job{Train: clusters(800, 20, 5, 1), Heads: []Options{{Schedule: ScheduleCosine, Warmup: 2}}}
	best, tried, err := FindLR(context.Background(), New(), job)
	if err != nil {
		t.Fatal(err)
	}
	if len(tried) != 16 || best < 1e-3 || best > 1 {
		t.Fatalf("%d rates tried, best %v", len(tried), best)
	}
	for _, p := range tried {
		o := Options{Epochs: 1, LR: p.LR}
		if loss := fitOne(t, Job{Train: job.Train}, o).TrainLoss; p.Loss == nil || *p.Loss != loss {
			t.Errorf("rate %v: not the loss %v of a head alone", p.LR, loss)
		}
		if p.Loss != nil && p.LR == best {
			for _, q := range tried {
				if q.Loss != nil && *q.Loss < *p.Loss {
					t.Errorf("rate %v is better than the best", q.LR)
				}
			}
		}
	}
	job.Heads[0].Optimizer = OptimizerLBFGS
	if _, _, err := FindLR(context.Background(), New(), job); err == nil {
		t.Error("a rate was found for an optimizer without one")
	}
}

func ExampleFindLR() {
	train := &Dataset{X: []float32{0, 0.1, 0.9, 1}, Dim: 1, Labels: []int32{0, 0, 1, 1}, Classes: []string{"low", "high"}}
	_, tried, err := FindLR(context.Background(), New(), Job{Train: train, Heads: []Options{{}}})
	fmt.Println(len(tried), err)
	// Output: 16 <nil>
}
