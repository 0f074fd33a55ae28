package sweep

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"icebox/headtrain"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func defaults() headtrain.Options { return headtrain.Options{}.WithDefaults() }

func TestGridIsEveryCombinationOnce(t *testing.T) {
	s := Options{Method: "grid", Seeds: 1, Axes: []Axis{
		{Key: "batch_size", Log: []float64{2, 4}, Steps: 9}, {Key: "class_weights", Values: []any{"none", "balanced", "none"}},
		{Key: "weight_decay", Lin: []float64{0, 0.3}, Steps: 4}}}
	p, err := NewPlan(s, defaults())
	must(t, err)
	seen := map[string]bool{}
	for _, q := range p.Points {
		seen[p.Describe(q.Values)] = true
		if q.Options.BatchSize != q.Values[0] || q.Options.ClassWeights.Mode != q.Values[1] || q.Options.WeightDecay != q.Values[2] {
			t.Errorf("%v gives %+v", q.Values, q.Options)
		}
	}
	if len(p.Points) != 3*2*4 || len(seen) != 24 || !seen["batch_size 3, class_weights balanced, weight_decay 0.1"] {
		t.Errorf("%d points, %d different: %v", len(p.Points), len(seen), seen)
	}
}

// What an axis does not change is not trained again.
func TestLBFGSIsTrainedOnceForAllRates(t *testing.T) {
	s := Options{Method: "grid", Seeds: 1, Axes: []Axis{{Key: "lr", Values: []any{0.1, 0.01, 0.001}},
		{Key: "optimizer", Values: []any{"adam", "lbfgs"}}, {Key: "weight_decay", Values: []any{0.0, 0.1}}, {Key: "train_fraction", Values: []any{1.0, 0.5}}}}
	p, err := NewPlan(s, defaults())
	must(t, err)
	of := map[string]int{}
	for _, q := range p.Points {
		of[q.Options.Optimizer]++
	}
	if of["adam"] != 12 || of["lbfgs"] != 4 || p.Repeats != 8 || p.Heads() != 16 {
		t.Errorf("%v, %d left out, %d heads", of, p.Repeats, p.Heads())
	}
}

func TestRandomPointsFillTheirRanges(t *testing.T) {
	s := Options{Method: "random", Seeds: 1, Trials: 4000, Axes: []Axis{{Key: "lr", Log: []float64{1e-4, 1}}, {Key: "input", Values: []any{"none", "l2"}}}}
	base := defaults()
	p, err := NewPlan(s, base)
	must(t, err)
	decades, l2 := [4]int{}, 0
	for _, q := range p.Points {
		lr := q.Options.LR
		if lr < 1e-4 || lr > 1 {
			t.Fatalf("lr %v", lr)
		}
		decades[min(3, int(math.Floor(math.Log10(lr)+4)))]++
		if q.Options.Input == "l2" {
			l2++
		}
	}
	for _, n := range append(decades[:], l2/2) {
		if n < 880 || n > 1120 { // 1000 ± 4σ
			t.Errorf("points by decade %v, with l2 %d", decades, l2)
		}
	}
	again, err := NewPlan(s, base)
	must(t, err)
	base.Seed = 1
	other, err := NewPlan(s, base)
	must(t, err)
	if fmt.Sprint(again.Points[7].Values) != fmt.Sprint(p.Points[7].Values) || fmt.Sprint(other.Points[7].Values) == fmt.Sprint(p.Points[7].Values) {
		t.Error("points do not follow the seed alone")
	}
	few := Options{Method: "random", Seeds: 1, Trials: 50, Axes: []Axis{{Key: "input", Values: []any{"none", "l2"}}}}
	if p, err = NewPlan(few, base); err != nil || len(p.Points) != 2 {
		t.Errorf("two values make %d points: %v", len(p.Points), err)
	}
}

func TestHalvingEndsWithAllEpochs(t *testing.T) {
	base := defaults()
	base.Epochs, base.Warmup = 30, 2
	p, err := NewPlan(Options{Method: "halving", Seeds: 1, Axes: []Axis{{Key: "lr", Log: []float64{1e-4, 1}}}}, base)
	must(t, err)
	if fmt.Sprint(p.Rungs) != "[{27 3} {9 10} {3 30}]" {
		t.Errorf("rungs %v", p.Rungs)
	}
	if p.Heads() != 39 {
		t.Errorf("%d heads", p.Heads())
	}
	p, err = NewPlan(Options{Method: "halving", Seeds: 2, Folds: 3, Axes: []Axis{{Key: "lr", Values: []any{0.1, 0.2}}}}, base)
	must(t, err)
	if fmt.Sprint(p.Rungs) != "[{2 10} {1 30}]" || p.Heads() != 18 {
		t.Errorf("rungs %v", p.Rungs)
	}
}

// Points at random share out what they explain together: however few they are, that is no
// more than all. A few of them tell nothing.
func TestImportanceOfFewTrialsIsNoMoreThanAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	axes := []Axis{{Key: "lr"}, {Key: "weight_decay"}, {Key: "optimizer"}}
	for _, n := range []int{1, 2, 4, 5, 8, 12, 32, 200} {
		for range 20 {
			var results []Result
			for range n {
				lr, wd, o := rng.Float64(), rng.Float64(), []string{"adam", "sgd"}[rng.IntN(2)]
				results = append(results, Result{Values: map[string]any{"lr": lr, "weight_decay": wd, "optimizer": o}, ValAcc: &Stat{Mean: lr + 0.1*rng.NormFloat64()}})
			}
			shares, sum := Importance(results, axes, "val_acc"), 0.0
			for _, a := range shares {
				sum += a.Share
				if !(a.Share >= 0) {
					t.Errorf("%d points: %v", n, shares)
				}
			}
			if sum > 1+1e-9 || n == 2 && shares != nil || n >= 12 && shares == nil || n == 200 && (shares[0].Axis != "lr" || shares[0].Share < 0.7) {
				t.Errorf("%d points: %v", n, shares)
			}
		}
	}
}

func TestImportanceIsTheShareOfAMainEffect(t *testing.T) {
	axes := []Axis{{Key: "lr"}, {Key: "weight_decay"}, {Key: "epochs"}}
	var results []Result
	for lr := range 40 {
		for wd := range 2 {
			for e := range 2 {
				// lr and weight_decay act alone; epochs only through weight_decay.
				acc := []float64{0, 1, 2, 3}[lr/10]*0.1 + float64(wd)*0.2 + float64(2*wd-1)*float64(2*e-1)*0.05
				results = append(results, Result{Values: map[string]any{"lr": float64(lr), "weight_decay": float64(wd), "epochs": e}, ValAcc: &Stat{Mean: acc}})
			}
		}
	}
	results = append(results, Result{Values: map[string]any{"lr": 0.0}, Diverged: 1})
	got := map[string]float64{}
	for _, a := range Importance(results, axes, "val_acc") {
		got[a.Axis] = a.Share
	}
	// Variances: lr 0.0125, weight_decay 0.01, interaction 0.0025.
	for axis, want := range map[string]float64{"lr": 0.5, "weight_decay": 0.4, "epochs": 0} {
		if math.Abs(got[axis]-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", axis, got[axis], want)
		}
	}
}

// FuzzPlan holds that options that are valid give points that are, within the ranges and as
// many as were asked for at most, or an error.
func FuzzPlan(f *testing.F) {
	f.Add(1e-4, 1e-1, uint8(5), uint8(7), uint8(3), uint8(0), uint8(0), true)
	f.Add(0.0, 0.3, uint8(9), uint8(2), uint8(1), uint8(1), uint8(9), false)
	f.Add(5e-324, 1.7e308, uint8(2), uint8(30), uint8(1), uint8(2), uint8(0), true)
	f.Add(-1.7e308, 1.7e308, uint8(0), uint8(30), uint8(1), uint8(1), uint8(20), false)
	f.Fuzz(func(t *testing.T, low, high float64, key, steps, seeds, method, trials uint8, log bool) {
		a := Axis{Key: Keys[int(key)%len(Keys)], Steps: int(steps)}
		if log {
			a.Log = []float64{low, high}
		} else {
			a.Lin = []float64{low, high}
		}
		s := Options{Method: []string{Grid, Random, Halving}[method%3], Metric: headtrain.MetricValAcc, Seeds: int(seeds), Trials: int(trials), Axes: []Axis{a}}
		if s.Validate() != nil {
			return
		}
		p, err := NewPlan(s, defaults())
		if err != nil {
			return
		}
		if float64(len(p.Points)) > p.count(s, s.enumerates()) {
			t.Fatalf("%s: %d points", a.Key, len(p.Points))
		}
		for _, q := range p.Points {
			if err := q.Options.Validate(); err != nil || !(q.Fraction > 0 && q.Fraction <= 1) {
				t.Fatalf("%s: the point %v: %v", a.Key, q.Values, err)
			}
		}
		for _, id := range p.headsOf(len(p.Rungs)-1, []int{0}) {
			p.options(id)
		}
	})
}
