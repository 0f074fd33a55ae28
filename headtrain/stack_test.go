package headtrain

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
)

// mixed returns heads that share batches and differ in all else.
func mixed(n int) []Options {
	heads := make([]Options, n)
	for i := range heads {
		o := Options{Epochs: 1 + i%4, BatchSize: 96, LR: 1e-3 * float64(1+i%7)}
		switch i % 5 {
		case 1:
			o.Optimizer, o.WeightDecay, o.Schedule = OptimizerAdamW, 0.1, ScheduleCosine
		case 2:
			o.Optimizer, o.Momentum, o.Nesterov = OptimizerSGD, 0.9, true
		case 3:
			o.LabelSmoothing, o.ClassWeights.Mode = 0.1, WeightsBalanced
		case 4:
			o.Epochs, o.EarlyStopping = 6, EarlyStopping{Patience: 1}
		}
		heads[i] = o
	}
	return heads
}

func TestStackedHeadsEqualHeadsAlone(t *testing.T) {
	for _, shape := range []struct{ n, d, k, heads int }{
		{300, 37, 3, 7}, {300, 37, 3, 30}, {200, 64, 10, 12}, {150, 20, 50, 5}, {130, 9, 2, 70},
	} {
		job := Job{Train: clusters(shape.n, shape.d, shape.k, 1), Val: clusters(60, shape.d, shape.k, 2), Heads: mixed(shape.heads)}
		for i := range job.Heads {
			job.Heads[i].Threads = 1 + i%3
		}
		for _, isa := range kernel.Available() {
			if isa == kernel.Portable && shape.heads > 12 {
				continue // slow, and equal to the others by the kernels' tests
			}
			together, err := linear{isa}.Fit(context.Background(), job)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range job.Heads {
				alone := fitOne(t, Job{Train: job.Train, Val: job.Val}, o)
				got := together[i]
				if !sameHead(alone.Head, got.Head) || alone.TrainLoss != got.TrainLoss || alone.BestEpoch != got.BestEpoch || len(alone.History) != len(got.History) {
					t.Errorf("%v, %v: head %d differs from the same head alone", shape, isa, i)
				}
				for e := range alone.History {
					if a, b := alone.History[e], got.History[e]; a.TrainLoss != b.TrainLoss || *a.ValLoss != *b.ValLoss || a.LR != b.LR || a.TrainAcc != b.TrainAcc {
						t.Errorf("%v, %v: epoch %d of head %d differs from the same head alone", shape, isa, e+1, i)
					}
				}
			}
		}
	}
}

func TestFoldsShareAJob(t *testing.T) {
	train := clusters(240, 12, 3, 1)
	job := Job{Train: train}
	for fold := range int32(3) {
		var p Part
		for r := range int32(240) {
			if r%3 == fold {
				p.Val = append(p.Val, r)
			} else {
				p.Train = append(p.Train, r)
			}
		}
		for _, o := range mixed(5) {
			job.Heads, job.Parts = append(job.Heads, o), append(job.Parts, p)
		}
	}
	if stacks := job.stacks(); len(stacks) != 3 {
		t.Errorf("three folds make %d stacks", len(stacks))
	}
	together, err := New().Fit(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range job.Heads {
		alone := fitOne(t, Job{Train: subset(train, job.Parts[i].Train), Val: subset(train, job.Parts[i].Val)}, o)
		if !sameHead(alone.Head, together[i].Head) {
			t.Errorf("head %d differs from the same head alone on a set of its rows", i)
		}
	}
}

// However many heads there are, memory holds a stack of them at a time.
func TestStacksAreOfBoundedSize(t *testing.T) {
	job := Job{Train: &Dataset{Dim: 512, Classes: testkit.Names(10)}, Heads: make([]Options, 1000)}
	seen := 0
	for _, heads := range job.stacks() {
		if n := len(heads) * 10 * kernel.Stride(512); n > stackParams {
			t.Errorf("a stack of %d weights", n)
		}
		for _, h := range heads {
			if h != seen {
				t.Fatalf("head %d where %d was to be", h, seen)
			}
			seen++
		}
	}
	if seen != 1000 {
		t.Errorf("%d heads are in stacks", seen)
	}
	job.Heads = []Options{{}, {Seed: 1}, {BatchSize: 9}, {Input: InputL2}, {Optimizer: OptimizerLBFGS}, {LR: 1}, {Optimizer: OptimizerLBFGS}}
	if got := fmt.Sprint(job.stacks()); got != "[[0 5] [1] [2] [3] [4] [6]]" {
		t.Errorf("stacks %s", got)
	}
}

// A batch of several panels sums as one panel would: with as many rows as make
// three panels, twice the rows at half the weight each change next to nothing.
func TestLargeBatchesAreTakenInPanels(t *testing.T) {
	d := clusters(2*panelRows+100, 6, 3, 1)
	o := Options{Input: InputNone, Optimizer: OptimizerSGD, LR: 0.05, BatchSize: 1 << 20, Epochs: 4}
	s := newTestStack(t, kernel.Best(), Job{Train: d, Heads: []Options{o}})
	if rows := len(s.panel.x) / s.stride; rows > panelRows {
		t.Errorf("a panel of %d rows", rows)
	}
	want := fitOne(t, Job{Train: d}, o).Head
	twice := &Dataset{X: append(append([]float32(nil), d.X...), d.X...), Dim: d.Dim, Labels: append(append([]int32(nil), d.Labels...), d.Labels...), Classes: d.Classes}
	if w := testkit.Worst(fitOne(t, Job{Train: twice}, o).Head.W, want.W); w > 1e-5 {
		t.Errorf("every row twice moves the weights by %v", w)
	}
	wide := Job{Train: d}
	for range 20 {
		wide.Heads = append(wide.Heads, o)
	}
	results, err := New().Fit(context.Background(), wide)
	if err != nil || !sameHead(results[7].Head, want) {
		t.Errorf("a wide stack sums panels otherwise (error %v)", err)
	}
}

func TestDivergingHeadLeavesItsStackAlone(t *testing.T) {
	train := clusters(200, 10, 3, 1)
	good := Options{Epochs: 5, Input: InputNone, BatchSize: 20}
	bad := good
	bad.Optimizer, bad.LR = OptimizerSGD, 1e38
	results, err := New().Fit(context.Background(), Job{Train: train, Heads: []Options{good, bad, good, bad, good}})
	if !errors.Is(err, ErrDiverged) || len(results) != 5 {
		t.Fatalf("%d results, error %v", len(results), err)
	}
	want := fitOne(t, Job{Train: train}, good).Head
	for i, r := range results {
		if i%2 == 1 {
			if r.Head != nil {
				t.Errorf("head %d diverged and is there", i)
			}
		} else if !sameHead(r.Head, want) {
			t.Errorf("head %d differs from the same head alone", i)
		}
	}
}

func TestClassOfWeightZeroIsIgnored(t *testing.T) {
	d := clusters(90, 7, 3, 1)
	o := Options{Input: InputNone, ClassWeights: ClassWeights{Map: map[string]float64{"class 2": 0}}}
	want := fitOne(t, Job{Train: d}, o).Head
	for r, y := range d.Labels {
		if y == 2 {
			for j := range d.Row(r) {
				d.Row(r)[j] = float32(100*r + j)
			}
		}
	}
	if got := fitOne(t, Job{Train: d}, o).Head; testkit.Worst(got.W, want.W) > 0 {
		t.Error("the rows of a class that weighs nothing changed the head")
	}
}

func TestManyClassesOfOneRow(t *testing.T) {
	r := fitOne(t, Job{Train: clusters(3000, 8, 3000, 1)}, Options{Epochs: 2, LR: 0.01})
	if first, last := r.History[0].TrainLoss, r.TrainLoss; !(last < first) || !(math.Abs(first-math.Log(3000)) <= 1) {
		t.Errorf("loss went from %v to %v", first, last)
	}
}

func TestLastHeadIsKeptBesideTheBest(t *testing.T) {
	job := Job{Train: clusters(60, 40, 5, 1), Val: clusters(200, 40, 5, 2)}
	o := Options{Epochs: 200, LR: 0.05, EarlyStopping: EarlyStopping{Patience: 5}}
	r := fitOne(t, job, o)
	o.Epochs, o.EarlyStopping = len(r.History), EarlyStopping{}
	last := fitOne(t, job, o)
	if r.Last == nil || !sameHead(r.Last, last.Head) || sameHead(r.Last, r.Head) || last.Last != nil {
		t.Error("the last head is not that of the last epoch")
	}
}
