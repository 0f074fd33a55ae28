package headtrain

import (
	"context"
	"math"
	"slices"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/rng"
	"icebox/headtrain/internal/testkit"
)

func TestTenMixedStepsEqualPyTorch(t *testing.T) {
	const tolerance = 1e-5
	var start torchFixture
	testkit.Read(t, "torch.json", &start)
	var fixture struct {
		Lambda []float64 // of each step
		Order  [][]int32 // the place of each row's partner in its batch
		Cases  []struct {
			Name    string
			LR      float64
			Options Options
			Weight  []float64
			Losses  []float64
			W, B    []float32
		}
	}
	testkit.Read(t, "mixup.json", &fixture)
	for _, c := range fixture.Cases {
		for _, isa := range kernel.Available() {
			t.Run(c.Name+"/"+isa.String(), func(t *testing.T) {
				o := c.Options
				o.LR, o.Mixup = c.LR, 1
				if c.Weight != nil {
					o.ClassWeights.Map = map[string]float64{}
					for i, w := range c.Weight {
						o.ClassWeights.Map[testkit.Names(start.Classes)[i]] = w
					}
				}
				s := start.start(t, isa, o)
				s.mix.draw = func(order []int32, step int) float64 {
					copy(order, fixture.Order[step])
					return fixture.Lambda[step]
				}
				f := s.heads[0]
				for step, rows := range start.Batches {
					s.resetSums()
					s.trainBatch(rows, nil)
					if got := f.sum.loss / f.weight; !(math.Abs(got-c.Losses[step]) <= tolerance) {
						t.Errorf("loss of step %d is %v, PyTorch's %v", step+1, got, c.Losses[step])
					}
				}
				h, err := f.head(s, 1)
				if err != nil {
					t.Fatal(err)
				}
				if w, b := testkit.Worst(h.W, c.W), testkit.Worst(h.B, c.B); w > tolerance || b > tolerance {
					t.Errorf("after %d steps weights are off by %.2g, biases by %.2g", len(start.Batches), w, b)
				}
			})
		}
	}
}

func TestHeadsOnMixedBatchesAreTheSameInAnyCompany(t *testing.T) {
	for _, shape := range [][3]int{{300, 37, 3}, {600, 70, 10}} {
		job := Job{Train: clusters(shape[0], shape[1], shape[2], 1), Val: clusters(60, shape[1], shape[2], 2), Heads: averaged(12)}
		for i := range job.Heads {
			job.Heads[i].Mixup = []float64{0, 0.4, 0.4, 2}[i%4]
		}
		if n := len(job.stacks()); n != 3 {
			t.Errorf("three values of mixup make %d stacks", n)
		}
		sameInAnyCompany(t, job)
	}
}

// Batches of several panels are mixed as a whole.
func TestLargeBatchesAreMixed(t *testing.T) {
	d := clusters(2*panelRows+100, 6, 3, 1)
	o := Options{BatchSize: 1 << 20, Epochs: 3, Mixup: 1, Threads: 1}
	want := fitOne(t, Job{Train: d}, o)
	wide := Job{Train: d}
	o.Threads = 8
	for range 20 {
		wide.Heads = append(wide.Heads, o)
	}
	results, err := New().Fit(context.Background(), wide)
	if err != nil || !sameHead(results[7].Head, want.Head) {
		t.Errorf("a wide stack mixes panels otherwise (error %v)", err)
	}
	s := newTestStack(t, kernel.Best(), Job{Train: d, Heads: []Options{o}})
	order := slices.Clone(s.train.Rows)
	s.trainBatch(order, nil)
	across := 0
	for i, p := range s.mix.partners {
		if i/panelRows != int(p)/panelRows {
			across++
		}
	}
	if across < panelRows {
		t.Errorf("%d rows have a partner in another panel", across)
	}
}

func TestMixedTrainingAccuracyIsOfTheLargerShare(t *testing.T) {
	d := clusters(120, 12, 3, 1)
	s := newTestStack(t, kernel.Best(), Job{Train: d, Heads: []Options{{BatchSize: 120, Mixup: 1, Optimizer: OptimizerSGD, LR: 1e-9}}})
	s.mix.draw = func(order []int32, _ int) float64 {
		for i := range order {
			order[i] = int32((i + 1) % len(order))
		}
		return 0
	}
	s.trainBatch(s.train.Rows, nil)
	shifted := s.heads[0].sum
	s.resetSums()
	s.mix.draw = func(order []int32, _ int) float64 {
		for i := range order {
			order[i] = int32(i)
		}
		return 1
	}
	s.trainBatch(s.train.Rows, nil)
	if plain := s.heads[0].sum; plain.hits != shifted.hits || !(math.Abs(plain.loss-shifted.loss) <= 1e-4) {
		t.Errorf("partners alone: %v, rows alone: %v", shifted, plain)
	}
}

func TestMixupDrawsPermutationsAndSharesOfItsSeed(t *testing.T) {
	m, again := &mixup{alpha: 0.3, seed: 5}, &mixup{alpha: 0.3, seed: 5}
	other := &mixup{alpha: 0.3, seed: 6}
	a, b, c := make([]int32, 97), make([]int32, 97), make([]int32, 97)
	for step := range 20 {
		lambda := m.random(a, step)
		if again.random(b, step) != lambda || !slices.Equal(a, b) {
			t.Errorf("step %d is drawn differently twice", step)
		}
		if other.random(c, step) == lambda || slices.Equal(a, c) || m.random(b, step+1) == lambda || slices.Equal(a, b) {
			t.Errorf("step %d is drawn as of another seed or step", step)
		}
		sorted := slices.Sorted(slices.Values(a))
		for i, v := range sorted {
			if v != int32(i) {
				t.Fatalf("step %d: %v is no permutation", step, a)
			}
		}
	}
}

// Mean ½, variance 1/(4(2α+1)), and fourth central moment 3/(16(2α+1)(2α+3)).
func TestBetaHasItsMoments(t *testing.T) {
	for _, a := range []float64{0.05, 0.2, 0.5, 0.500001, 1, 2, 8, 1000} {
		r := rng.New(1, 2)
		const n = 100_000
		var mean, square, fourth float64
		for range n {
			x := beta(&r, a)
			if !(x >= 0 && x <= 1) {
				t.Fatalf("Beta(%v) gave %v", a, x)
			}
			d := x - 0.5
			mean, square, fourth = mean+x/n, square+d*d/n, fourth+d*d*d*d/n
		}
		variance := 1 / (4 * (2*a + 1))
		if !(math.Abs(mean-0.5) <= 5*math.Sqrt(variance/n)) || !(math.Abs(square/variance-1) <= 0.02) || !(math.Abs(fourth/(3/(16*(2*a+1)*(2*a+3)))-1) <= 0.04) {
			t.Errorf("Beta(%v): mean %v, variance %v of %v, fourth moment %v", a, mean, square, variance, fourth)
		}
	}
}

func TestExponentialAndLogarithmAgreeWithMath(t *testing.T) {
	for i := range 10_000 {
		x := -float64(i) / 20
		if got, want := exp(x), math.Exp(x); !(math.Abs(got-want) <= 1e-12*want) {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
		x = math.Ldexp(1+float64(i)/7000, i%200-150)
		if got, want := log(x), math.Log(x); !(math.Abs(got-want) <= 4e-16*max(1, math.Abs(want))) {
			t.Fatalf("log(%v) = %v, want %v", x, got, want)
		}
	}
	if exp(math.Inf(-1)) != 0 || exp(0) != 1 || log(1) != 0 {
		t.Error("at the ends")
	}
}
