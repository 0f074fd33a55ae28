package headtrain

import (
	"context"
	"math"
	"strings"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
)

func TestAverageOfTenStepsEqualsPyTorch(t *testing.T) {
	const tolerance = 1e-5
	var start torchFixture
	testkit.Read(t, "torch.json", &start)
	var fixture struct {
		Cases []struct {
			Name    string
			LR      float64
			Options Options
			After   [][]float32 // biases after each step
			W, B    []float32
		}
	}
	testkit.Read(t, "ema.json", &fixture)
	for _, c := range fixture.Cases {
		for _, isa := range kernel.Available() {
			t.Run(c.Name+"/"+isa.String(), func(t *testing.T) {
				o := c.Options
				o.LR = c.LR
				s := start.start(t, isa, o)
				f := s.heads[0]
				for step, rows := range start.Batches {
					s.resetSums()
					s.trainBatch(rows, nil)
					var biases []float32
					for c := range s.classes {
						biases = append(biases, f.average.weights[c*s.stride+s.dim])
					}
					if w := testkit.Worst(biases, c.After[step]); w > tolerance {
						t.Errorf("after step %d biases are off by %.2g", step+1, w)
					}
				}
				f.average.exchange(f.params)
				h, err := f.head(s, 1)
				if err != nil {
					t.Fatal(err)
				}
				if w, b := testkit.Worst(h.W, c.W), testkit.Worst(h.B, c.B); w > tolerance || b > tolerance {
					t.Errorf("weights are off by %.2g, biases by %.2g", w, b)
				}
			})
		}
	}
}

// averaged are heads that share batches, some of them with an average.
func averaged(n int) []Options {
	heads := mixed(n)
	for i := range heads {
		if i%3 < 2 {
			heads[i].EMA = 0.9 + 0.01*float64(i%5)
		}
	}
	return heads
}

func TestHeadsWithAnAverageAreTheSameInAnyCompany(t *testing.T) {
	for _, shape := range [][3]int{{300, 37, 3}, {600, 70, 10}} {
		job := Job{Train: clusters(shape[0], shape[1], shape[2], 1), Val: clusters(60, shape[1], shape[2], 2), Heads: averaged(12)}
		sameInAnyCompany(t, job)
	}
}

// sameInAnyCompany trains the heads of a job together and alone, on each
// instruction set and at several numbers of threads.
func sameInAnyCompany(t *testing.T, job Job) {
	t.Helper()
	var want []Result
	for i, o := range job.Heads {
		o.Threads = 1 + 7*(i%2)
		want = append(want, fitOne(t, Job{Train: job.Train, Val: job.Val}, o))
	}
	for _, isa := range kernel.Available() {
		for _, threads := range []int{1, 2, 8} {
			for i := range job.Heads {
				job.Heads[i].Threads = threads
			}
			got, err := linear{isa}.Fit(context.Background(), job)
			if err != nil {
				t.Fatal(err)
			}
			for i, g := range got {
				w := want[i]
				if !sameHead(g.Head, w.Head) || g.TrainLoss != w.TrainLoss || g.BestEpoch != w.BestEpoch || len(g.History) != len(w.History) || (g.Last == nil) != (w.Last == nil) {
					t.Fatalf("%v, %d threads: head %d differs from the same head alone", isa, threads, i)
				}
				if g.Last != nil && !sameHead(g.Last, w.Last) {
					t.Errorf("%v, %d threads: the last head %d differs", isa, threads, i)
				}
				for e := range g.History {
					if a, b := g.History[e], w.History[e]; a.TrainLoss != b.TrainLoss || *a.ValLoss != *b.ValLoss {
						t.Errorf("%v, %d threads: epoch %d of head %d differs", isa, threads, e+1, i)
					}
				}
			}
		}
	}
}

// The weights behind an average train as without it, and the average is what is
// validated and saved.
func TestAverageIsJudgedAndSavedWhileTheWeightsGoOn(t *testing.T) {
	job := Job{Train: clusters(300, 20, 4, 1), Val: clusters(90, 20, 4, 2)}
	o := Options{Epochs: 5, BatchSize: 64, LR: 0.02}
	plain := fitOne(t, job, o)
	o.EMA = 0.8
	got := fitOne(t, job, o)
	for e := range got.History {
		if a, b := got.History[e], plain.History[e]; a.TrainLoss != b.TrainLoss || a.TrainAcc != b.TrainAcc {
			t.Errorf("epoch %d trained otherwise: %v, without an average %v", e+1, a, b)
		}
	}
	last := *got.History[4].ValLoss
	if last == *plain.History[4].ValLoss || sameHead(got.Head, plain.Head) {
		t.Error("the average is not what was validated or saved")
	}
	if loss := exactLoss(got.Head, job.Val); !(math.Abs(loss-last) <= 1e-5) {
		t.Errorf("the saved head has validation loss %v, reported %v", loss, last)
	}

	// one step: the average is the weights
	o.Epochs, o.BatchSize = 1, 300
	one := fitOne(t, job, o)
	o.EMA = 0
	if !sameHead(one.Head, fitOne(t, job, o).Head) {
		t.Error("after one step the average is not the weights")
	}
}

func TestRecipeNamesOnlyWhatIsOn(t *testing.T) {
	job := Job{Train: clusters(30, 4, 2, 1)}
	for _, o := range []Options{{}, {EMA: 0.5}, {Mixup: 0.2}} {
		recipe := string(fitOne(t, job, o).Head.Recipe)
		if strings.Contains(recipe, `"ema":0.5`) != (o.EMA > 0) || strings.Contains(recipe, `"mixup":0.2`) != (o.Mixup > 0) {
			t.Errorf("ema %v, mixup %v: recipe %s", o.EMA, o.Mixup, recipe)
		}
		if o.EMA+o.Mixup == 0 && (strings.Contains(recipe, "ema") || strings.Contains(recipe, "mixup")) {
			t.Errorf("recipe %s", recipe)
		}
	}
}

// After one epoch a slow average is next to the first step's weights, whatever the
// rate.
func TestFindLRLeavesTheAverageAside(t *testing.T) {
	job := Job{Train: clusters(200, 10, 3, 1), Heads: []Options{{BatchSize: 32}}}
	want, tried, err := FindLR(context.Background(), New(), job)
	if err != nil {
		t.Fatal(err)
	}
	job.Heads[0].EMA = 0.999
	got, again, err := FindLR(context.Background(), New(), job)
	if err != nil || got != want {
		t.Fatalf("with an average %v, without %v (error %v)", got, want, err)
	}
	for i := range tried {
		if *tried[i].Loss != *again[i].Loss {
			t.Errorf("lr %v: loss %v with an average, %v without", tried[i].LR, *again[i].Loss, *tried[i].Loss)
		}
	}
}
