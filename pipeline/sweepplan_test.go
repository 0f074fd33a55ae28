package pipeline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"icebox/cache"
	"icebox/headtrain"
)

func TestGridIsEveryCombinationOnce(t *testing.T) {
	s := Sweep{Method: "grid", Seeds: 1, Axes: []Axis{
		{Key: "batch_size", Log: []float64{2, 4}, Steps: 9}, {Key: "class_weights", Values: []any{"none", "balanced", "none"}},
		{Key: "weight_decay", Lin: []float64{0, 0.3}, Steps: 4}}}
	p, err := newPlan(s, Default().Head)
	must(t, err)
	seen := map[string]bool{}
	for _, q := range p.points {
		seen[p.describe(q.values)] = true
		if q.options.BatchSize != q.values[0] || q.options.ClassWeights.Mode != q.values[1] || q.options.WeightDecay != q.values[2] {
			t.Errorf("%v gives %+v", q.values, q.options)
		}
	}
	if len(p.points) != 3*2*4 || len(seen) != 24 || !seen["batch_size 3, class_weights balanced, weight_decay 0.1"] {
		t.Errorf("%d points, %d different: %v", len(p.points), len(seen), seen)
	}
}

// What an axis does not change is not trained again.
func TestLBFGSIsTrainedOnceForAllRates(t *testing.T) {
	s := Sweep{Method: "grid", Seeds: 1, Axes: []Axis{{Key: "lr", Values: []any{0.1, 0.01, 0.001}},
		{Key: "optimizer", Values: []any{"adam", "lbfgs"}}, {Key: "weight_decay", Values: []any{0.0, 0.1}}, {Key: "train_fraction", Values: []any{1.0, 0.5}}}}
	p, err := newPlan(s, Default().Head)
	must(t, err)
	of := map[string]int{}
	for _, q := range p.points {
		of[q.options.Optimizer]++
	}
	if of["adam"] != 12 || of["lbfgs"] != 4 || p.repeats != 8 || p.heads() != 16 {
		t.Errorf("%v, %d left out, %d heads", of, p.repeats, p.heads())
	}
}

func TestRandomPointsFillTheirRanges(t *testing.T) {
	s := Sweep{Method: "random", Seeds: 1, Trials: 4000, Axes: []Axis{{Key: "lr", Log: []float64{1e-4, 1}}, {Key: "input", Values: []any{"none", "l2"}}}}
	base := Default().Head
	p, err := newPlan(s, base)
	must(t, err)
	decades, l2 := [4]int{}, 0
	for _, q := range p.points {
		lr := q.options.LR
		if lr < 1e-4 || lr > 1 {
			t.Fatalf("lr %v", lr)
		}
		decades[min(3, int(math.Floor(math.Log10(lr)+4)))]++
		if q.options.Input == "l2" {
			l2++
		}
	}
	for _, n := range append(decades[:], l2/2) {
		if n < 880 || n > 1120 { // 1000 ± 4σ
			t.Errorf("points by decade %v, with l2 %d", decades, l2)
		}
	}
	again, err := newPlan(s, base)
	must(t, err)
	base.Seed = 1
	other, err := newPlan(s, base)
	must(t, err)
	if fmt.Sprint(again.points[7].values) != fmt.Sprint(p.points[7].values) || fmt.Sprint(other.points[7].values) == fmt.Sprint(p.points[7].values) {
		t.Error("points do not follow the seed alone")
	}
	few := Sweep{Method: "random", Seeds: 1, Trials: 50, Axes: []Axis{{Key: "input", Values: []any{"none", "l2"}}}}
	if p, err = newPlan(few, base); err != nil || len(p.points) != 2 {
		t.Errorf("two values make %d points: %v", len(p.points), err)
	}
}

func TestHalvingEndsWithAllEpochs(t *testing.T) {
	base := Default().Head
	base.Epochs, base.Warmup = 30, 2
	p, err := newPlan(Sweep{Method: "halving", Seeds: 1, Axes: []Axis{{Key: "lr", Log: []float64{1e-4, 1}}}}, base)
	must(t, err)
	if fmt.Sprint(p.rungs) != "[{27 3} {9 10} {3 30}]" {
		t.Errorf("rungs %v", p.rungs)
	}
	if p.heads() != 39 {
		t.Errorf("%d heads", p.heads())
	}
	p, err = newPlan(Sweep{Method: "halving", Seeds: 2, Folds: 3, Axes: []Axis{{Key: "lr", Values: []any{0.1, 0.2}}}}, base)
	must(t, err)
	if fmt.Sprint(p.rungs) != "[{2 10} {1 30}]" || p.heads() != 18 {
		t.Errorf("rungs %v", p.rungs)
	}
}

// items makes a dataset of n training rows with labels by class sizes, and a group
// for each run of g rows where g > 0.
func foldingSet(sizes []int, g int) (*Dataset, *rows) {
	ds := &Dataset{}
	r := &rows{data: &headtrain.Dataset{Dim: 1}}
	rng := rand.New(rand.NewPCG(1, 2))
	for c, n := range sizes {
		r.data.Classes = append(r.data.Classes, fmt.Sprint(c))
		for range n {
			i := len(ds.Items)
			it := Item{Label: int32(c), Part: TrainPart}
			for b := range it.Hash {
				it.Hash[b] = byte(rng.Uint32())
			}
			if g > 0 {
				it.Group = fmt.Sprint(i / g)
			}
			ds.Items = append(ds.Items, it)
			r.items, r.data.Labels, r.data.X = append(r.items, i), append(r.data.Labels, int32(c)), append(r.data.X, float32(i))
		}
	}
	return ds, r
}

func TestFoldsAreStratifiedAndCoverEachRowOnce(t *testing.T) {
	ds, r := foldingSet([]int{23, 50, 7}, 0)
	f, err := newFolding(ds, r, 5)
	must(t, err)
	validated := make([]int, len(r.items))
	for k := range 5 {
		p := f.part(k, 1)
		perClass := make([]int, 3)
		for _, n := range p.Val {
			validated[n]++
			perClass[r.data.Labels[n]]++
			if slices.Contains(p.Train, n) {
				t.Errorf("row %d is on both sides of fold %d", n, k)
			}
		}
		for c, n := range perClass {
			if want := []int{23, 50, 7}[c]; n < want/5 || n > want/5+1 {
				t.Errorf("fold %d has %d of %d rows of class %d", k, n, want, c)
			}
		}
		if len(p.Train)+len(p.Val) != 80 || !slices.IsSorted(p.Train) {
			t.Errorf("fold %d: %d and %d rows", k, len(p.Train), len(p.Val))
		}
		if q := f.part(k, 1); &q.Train[0] != &p.Train[0] || &q.Val[0] != &p.Val[0] {
			t.Error("equal parts do not share their slices")
		}
	}
	for n, times := range validated {
		if times != 1 {
			t.Errorf("row %d is validated %d times", n, times)
		}
	}
}

func TestGroupsAndCopiesStayInOneFold(t *testing.T) {
	ds, r := foldingSet([]int{40, 40}, 4)
	ds.Items[0].Group, ds.Items[9].Group = "", ""
	ds.Items[9].Hash = ds.Items[0].Hash // a copy
	f, err := newFolding(ds, r, 3)
	must(t, err)
	foldOf := map[string]int{}
	for n, i := range r.items {
		name := ds.Items[i].unitName()
		if k, ok := foldOf[name]; ok && k != f.of[n] {
			t.Errorf("%q lies in folds %d and %d", name, k, f.of[n])
		}
		foldOf[name] = f.of[n]
	}
	ds, r = foldingSet([]int{40, 40}, 20)
	if _, err := newFolding(ds, r, 3); err == nil {
		t.Error("two groups a class make three folds")
	}
}

func TestFoldsDoNotDependOnTheOrderOfRows(t *testing.T) {
	ds, r := foldingSet([]int{30, 30}, 0)
	f, err := newFolding(ds, r, 4)
	must(t, err)
	byHash := map[cache.Key]int{}
	for n, i := range r.items {
		byHash[ds.Items[i].Hash] = f.of[n]
	}
	slices.Reverse(ds.Items)
	for n, i := range r.items {
		r.data.Labels[n] = ds.Items[i].Label
	}
	f, err = newFolding(ds, r, 4)
	must(t, err)
	for n, i := range r.items {
		if byHash[ds.Items[i].Hash] != f.of[n] {
			t.Fatalf("row %d is in another fold", n)
		}
	}
}

func TestSmallerFractionsLieWithinLargerOnes(t *testing.T) {
	ds, r := foldingSet([]int{100, 40, 3}, 0)
	for _, folds := range []int{0, 3} {
		f, err := newFolding(ds, r, folds)
		must(t, err)
		fold := min(folds, 1) - 1
		var before []int32
		for _, fraction := range []float64{0.05, 0.1, 0.5, 0.9} {
			train := f.part(fold, fraction).Train
			perClass := make([]int, 3)
			for _, n := range train {
				perClass[r.data.Labels[n]]++
			}
			for _, n := range before {
				if !slices.Contains(train, n) {
					t.Errorf("%d folds: row %d of a smaller fraction is not in %v", folds, n, fraction)
				}
			}
			if folds == 0 && fmt.Sprint(perClass) != map[float64]string{0.05: "[5 2 1]", 0.1: "[10 4 1]", 0.5: "[50 20 2]", 0.9: "[90 36 3]"}[fraction] {
				t.Errorf("fraction %v: %v rows", fraction, perClass)
			}
			before = train
		}
	}
}

func TestImportanceIsTheShareOfAMainEffect(t *testing.T) {
	axes := []Axis{{Key: "lr"}, {Key: "weight_decay"}, {Key: "epochs"}}
	var results []pointResult
	for lr := range 40 {
		for wd := range 2 {
			for e := range 2 {
				// lr and weight_decay act alone; epochs only through weight_decay.
				acc := []float64{0, 1, 2, 3}[lr/10]*0.1 + float64(wd)*0.2 + float64(2*wd-1)*float64(2*e-1)*0.05
				results = append(results, pointResult{Values: map[string]any{"lr": float64(lr), "weight_decay": float64(wd), "epochs": e}, ValAcc: &stat{Mean: acc}})
			}
		}
	}
	results = append(results, pointResult{Values: map[string]any{"lr": 0.0}, Diverged: 1})
	got := map[string]float64{}
	for _, a := range importance(results, axes, newMetric("val_acc")) {
		got[a.Axis] = a.Share
	}
	// Variances: lr 0.0125, weight_decay 0.01, interaction 0.0025.
	for axis, want := range map[string]float64{"lr": 0.5, "weight_decay": 0.4, "epochs": 0} {
		if math.Abs(got[axis]-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", axis, got[axis], want)
		}
	}
}

// The interval of a proportion is close to the normal one, p ± 1.96·√(p(1-p)/n),
// and wider where rows come in groups.
func TestBootstrapIsCloseToTheNormalInterval(t *testing.T) {
	hit := make([]bool, 1000)
	var rows, groups [][]int
	for n := range hit {
		hit[n] = n/10%5 != 0 // whole tens are wrong
		rows = append(rows, []int{n})
		if n%10 == 0 {
			groups = append(groups, nil)
		}
		groups[n/10] = append(groups[n/10], n)
	}
	i := bootstrap(rows, hit, 1)
	half := 1.96 * math.Sqrt(0.8*0.2/1000)
	if math.Abs(i.Low-(0.8-half)) > 0.004 || math.Abs(i.High-(0.8+half)) > 0.004 {
		t.Errorf("%v, normal 0.8 ± %v", i, half)
	}
	g := bootstrap(groups, hit, 1)
	half = 1.96 * math.Sqrt(0.8*0.2/100)
	if math.Abs(g.Low-(0.8-half)) > 0.012 || math.Abs(g.High-(0.8+half)) > 0.012 {
		t.Errorf("by group %v, normal 0.8 ± %v", g, half)
	}
	if bootstrap(groups, hit, 1) != g || bootstrap(groups, hit, 2) == g && bootstrap(groups, hit, 3) == g && bootstrap(groups, hit, 4) == g {
		t.Error("the interval does not follow the seed alone")
	}
}
