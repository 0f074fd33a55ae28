package headtrain

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
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
	testkit.Read(t, "lbfgs.json", &fixture)
	d := &Dataset{X: fixture.X, Dim: fixture.Dim, Labels: fixture.Labels, Classes: testkit.Names(fixture.Classes)}
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
			if got := last.TrainLoss + penalty(r.Head, o.WeightDecay); !(math.Abs(got-c.Objective) <= 1e-6) || !(math.Abs(last.TrainLoss-c.Loss) <= 1e-4) {
				t.Errorf("C=%v, %v: loss %v, objective %v; scikit-learn's are %v and %v", c.C, isa, last.TrainLoss, got, c.Loss, c.Objective)
			}
			if w := testkit.Worst(r.Head.W, c.W); w > 2e-3 || r.Stopped != StoppedConverged {
				t.Errorf("C=%v, %v: weights are off by %v, stopped by %s after %d", c.C, isa, w, r.Stopped, len(r.History))
			}
		}
	}
}

// exactLoss is the mean loss of h on d in float64.
func exactLoss(h *Head, d *Dataset) float64 {
	sum := 0.0
	for r, y := range d.Labels {
		length := 1.0
		if h.Input == InputL2 {
			length = 0
			for _, v := range d.Row(r) {
				length += float64(v) * float64(v)
			}
			length = math.Sqrt(length)
		}
		norm, own := 0.0, 0.0
		for c := range h.Classes {
			z := float64(h.B[c])
			for j, v := range d.Row(r) {
				z += float64(h.W[c*d.Dim+j]) * float64(v) / length
			}
			norm += math.Exp(z)
			if c == int(y) {
				own = z
			}
		}
		sum += math.Log(norm) - own
	}
	return sum / float64(len(d.Labels))
}

// Raw features, on scales of their own and not centred, have the optimum of any
// others.
func TestLBFGSEqualsScikitLearnOnIllConditionedFeatures(t *testing.T) {
	var fixture struct {
		Dim, Classes int
		X            []float32
		Labels       []int32
		Cases        []struct {
			Input              string
			C, Loss, Objective float64
		}
	}
	testkit.Read(t, "lbfgs_raw.json", &fixture)
	d := &Dataset{X: fixture.X, Dim: fixture.Dim, Labels: fixture.Labels, Classes: testkit.Names(fixture.Classes)}
	_, std := affine.Moments(setOf(d, InputNone, nil), newTestTeam(t))
	for _, c := range fixture.Cases {
		for _, isa := range kernel.Available() {
			o := Options{Optimizer: OptimizerLBFGS, Input: c.Input, Epochs: 3000, WeightDecay: 1 / (c.C * float64(d.Rows()))}
			results, err := linear{isa}.Fit(context.Background(), Job{Train: d, Heads: []Options{o}})
			if err != nil {
				t.Fatal(err)
			}
			r := results[0]
			onInput := slices.Clone(r.Head.W)
			for i := range onInput {
				if c.Input == InputStandardise {
					onInput[i] *= float32(std[i%d.Dim])
				}
			}
			loss := exactLoss(r.Head, d)
			got := loss + penalty(&Head{W: onInput}, o.WeightDecay)
			if !(math.Abs(got/c.Objective-1) <= 1e-6) || !(math.Abs(loss-c.Loss) <= 1e-4) || !(math.Abs(r.TrainLoss-c.Loss) <= 1e-4) {
				t.Errorf("%s, C=%v, %v: loss %v, in float64 %v, objective %v; scikit-learn's are %v and %v", c.Input, c.C, isa, r.TrainLoss, loss, got, c.Loss, c.Objective)
			}
			if r.Stopped != StoppedConverged || r.Gradient > LBFGSTolerance {
				t.Errorf("%s, C=%v, %v: stopped by %s after %d, the gradient being %v", c.Input, c.C, isa, r.Stopped, len(r.History), r.Gradient)
			}
			t.Logf("%s, C=%v, %v: %d iterations, objective off by %.1g of it, loss by %.1g", c.Input, c.C, isa, len(r.History), got/c.Objective-1, loss-c.Loss)
		}
	}
}

func lbfgsOptions() Options {
	return Options{Optimizer: OptimizerLBFGS, Epochs: 300, WeightDecay: 0.02}
}

func TestLBFGSIsTheSameAtAnyNumberOfThreads(t *testing.T) {
	job := Job{Train: clusters(2500, 30, 12, 1), Val: clusters(90, 30, 12, 2)}
	for _, input := range []string{InputStandardise, InputNone, InputL2} {
		o := lbfgsOptions()
		o.Threads, o.Input = 1, input
		want := fitOne(t, job, o)
		for _, n := range []int{2, 8} {
			o.Threads = n
			if got := fitOne(t, job, o); !sameHead(got.Head, want.Head) || got.TrainLoss != want.TrainLoss {
				t.Errorf("%s: %d threads give another head than 1", input, n)
			}
		}
		if want.Stopped != StoppedConverged {
			t.Errorf("%s: stopped by %s after %d iterations", input, want.Stopped, len(want.History))
		}
	}
}

// What lbfgs does to features is its own affair: heads before and behind it that
// see the same rows are those that they are alone.
func TestLBFGSLeavesItsNeighboursAlone(t *testing.T) {
	job := Job{Train: clusters(400, 20, 3, 1), Val: clusters(50, 20, 3, 2)}
	for _, input := range []string{InputNone, InputL2, InputStandardise} {
		lbfgs := Options{Optimizer: OptimizerLBFGS, Input: input, Epochs: 40, WeightDecay: 0.01}
		heads := []Options{{Input: input, Epochs: 2}, lbfgs, {Input: input, Epochs: 2, Seed: 1}, lbfgs}
		results, err := New().Fit(context.Background(), Job{Train: job.Train, Val: job.Val, Heads: heads})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if want := fitOne(t, job, heads[i]); !sameHead(r.Head, want.Head) || r.TrainLoss != want.TrainLoss {
				t.Errorf("%s: head %d is another than alone", input, i)
			}
		}
	}
}

// Nothing is wrong with features that are large or small but their unit.
func TestLBFGSTakesFeaturesInAnyUnit(t *testing.T) {
	d := clusters(300, 20, 3, 1)
	for _, input := range []string{InputNone, InputL2, InputStandardise} {
		o := Options{Optimizer: OptimizerLBFGS, Input: input, Epochs: 1000}
		want := fitOne(t, Job{Train: d}, o).TrainLoss
		for _, unit := range []float32{1e30, 1e-30} {
			x := slices.Clone(d.X)
			for i := range x {
				x[i] *= unit
			}
			if input == InputL2 && unit < 1 {
				continue // their length counts as at least 1e-12
			}
			r := fitOne(t, Job{Train: &Dataset{X: x, Dim: d.Dim, Labels: d.Labels, Classes: d.Classes}}, o)
			if !(math.Abs(r.TrainLoss-want) <= 1e-5) || r.Stopped != StoppedConverged {
				t.Errorf("%s, times %v: loss %v, not %v, stopped by %s", input, unit, r.TrainLoss, want, r.Stopped)
			}
		}
	}
}

func TestLBFGSLeavesConstantFeaturesAlone(t *testing.T) {
	d := clusters(300, 20, 3, 1)
	for r := range d.Rows() {
		d.X[r*d.Dim], d.X[r*d.Dim+7] = 0.1, 0
	}
	for _, decay := range []float64{0, 0.01} {
		h := fitOne(t, Job{Train: d}, Options{Optimizer: OptimizerLBFGS, Input: InputNone, Epochs: 30, WeightDecay: decay}).Head
		for c := range h.Classes {
			if a, b := h.W[c*d.Dim], h.W[c*d.Dim+7]; a != 0 || b != 0 {
				t.Errorf("weight decay %v: class %d has the weights %v and %v on constant features", decay, c, a, b)
			}
		}
	}
}

// A head that is no optimum is not called one.
func TestLBFGSSaysThatItStalled(t *testing.T) {
	d := clusters(300, 20, 3, 1)
	o := Options{Optimizer: OptimizerLBFGS}.WithDefaults()
	job := Job{Train: d}
	s := newStack(kernel.Best(), job.view(Part{}, o.Input, newTestTeam(t)), []Options{o}, []int{0})
	defer s.team.Close()
	m := newLBFGS(s)
	if _, err := m.at(context.Background(), m.x, m.g); err != nil {
		t.Fatal(err)
	}
	m.loss = -1 // there is no way down from it
	stopped, err := m.iterate(context.Background())
	if err != nil || stopped != StoppedStalled || largest(m.g) <= LBFGSTolerance || largest(m.x) != 0 {
		t.Errorf("stopped by %q at a gradient of %v: %v", stopped, largest(m.g), err)
	}
}

func TestLBFGSSaysWhatFeaturesItCannotTake(t *testing.T) {
	x := []float32{3e38, -3e38, -3e38, -3e38, -3e38, -3e38, -3e38, -3e38, -3e38}
	d := &Dataset{X: x, Dim: 1, Labels: []int32{0, 1, 1, 1, 0, 1, 1, 1, 1}, Classes: []string{"a", "b"}}
	_, err := New().Fit(context.Background(), Job{Train: d, Heads: []Options{{Optimizer: OptimizerLBFGS, Input: InputNone}}})
	if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "in iteration 1: the features") {
		t.Error(err)
	}
}

func TestLBFGSHasNothingToLearn(t *testing.T) {
	d := &Dataset{X: []float32{1, 1, 1, 1}, Dim: 1, Labels: []int32{0, 1, 0, 1}, Classes: []string{"a", "b"}}
	for _, input := range []string{InputNone, InputL2, InputStandardise} {
		r := fitOne(t, Job{Train: d}, Options{Optimizer: OptimizerLBFGS, Input: input})
		if r.Stopped != StoppedConverged || len(r.History) != 1 || !(math.Abs(r.TrainLoss-math.Ln2) <= 1e-6) {
			t.Errorf("%s: stopped by %s after %d iterations, loss %v", input, r.Stopped, len(r.History), r.TrainLoss)
		}
	}
}

func TestLBFGSStopsAtTheLimit(t *testing.T) {
	o := lbfgsOptions()
	o.Epochs = 3
	r := fitOne(t, Job{Train: clusters(300, 30, 4, 1)}, o)
	if r.Stopped != StoppedEpochs || len(r.History) != 3 || r.Gradient <= LBFGSTolerance {
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
	if w := testkit.Worst(fitOne(t, Job{Train: twice}, lbfgsOptions()).Head.W, want.W); w > 1e-3 {
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
		if w := testkit.Worst(got.W[to*d.Dim:(to+1)*d.Dim], want.W[c*d.Dim:(c+1)*d.Dim]); w > 1e-3 {
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

func last(r Result) Epoch { return r.History[len(r.History)-1] }

// Heads that are trained side by side are those that are trained alone, in whatever number,
// whatever the threads, and whether their mapped rows are shared or not.
func TestLBFGSHeadsSideBySideAreThoseAlone(t *testing.T) {
	for _, k := range []int{3, narrow + 1} {
		d, parts := clusters(700, 20, k, 1), make([]Part, 2)
		for r := range int32(700) {
			parts[r%2].Train, parts[1-r%2].Val = append(parts[r%2].Train, r), append(parts[1-r%2].Val, r)
		}
		job := Job{Train: d}
		for _, input := range []string{InputStandardise, InputNone, InputL2} {
			for i, decay := range []float64{1, 0.1, 0.01} {
				job.Heads = append(job.Heads, Options{Optimizer: OptimizerLBFGS, Input: input, WeightDecay: decay, Epochs: 12})
				job.Parts = append(job.Parts, parts[i%2])
			}
		}
		for threads := range 4 {
			together := job
			together.Heads = slices.Clone(job.Heads)
			for i := range together.Heads {
				together.Heads[i].Threads = threads + 1
			}
			results, err := New().Fit(context.Background(), together)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range results {
				alone, err := New().Fit(context.Background(), Job{Train: d, Heads: job.Heads[i : i+1], Parts: job.Parts[i : i+1]})
				if err != nil {
					t.Fatal(err)
				}
				if a := alone[0]; !sameHead(a.Head, r.Head) || len(a.History) != len(r.History) || *last(a).ValLoss != *last(r).ValLoss || a.TrainLoss != r.TrainLoss {
					t.Errorf("%d classes, %d threads: head %d is another one alone", k, threads+1, i)
				}
			}
		}
	}
}

// With a tolerance, a head of L-BFGS is validated at its end, or wherever early stopping looks.
func TestLBFGSValidatesTheEndOfAHeadToCompare(t *testing.T) {
	d := clusters(400, 12, 3, 1)
	for patience, all := range map[int]bool{0: false, 50: true} {
		o := Options{Optimizer: OptimizerLBFGS, WeightDecay: 0.01, Epochs: 30, EarlyStopping: EarlyStopping{Patience: patience}}
		h := fitOne(t, Job{Train: d, Val: d, Tolerance: 1e-4}, o).History
		if len(h) < 3 || h[len(h)-1].ValAcc == nil || (h[1].ValAcc != nil) != all {
			t.Errorf("patience %d: epoch 2 and the last, %d, have %v and %v", patience, len(h), h[1].ValAcc, h[len(h)-1].ValAcc)
		}
	}
}
