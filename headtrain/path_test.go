package headtrain

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
)

// pathOf walks a path and returns its heads, by part and decay.
func pathOf(t *testing.T, p Path) [][]*Head {
	t.Helper()
	heads := make([][]*Head, len(p.Parts))
	err := p.Walk(t.Context(), func(part, decay int, h *Head) error {
		if decay != len(heads[part]) {
			t.Errorf("head %d of part %d comes out of turn", decay, part)
		}
		heads[part] = append(heads[part], h)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return heads
}

// twoPaths is a path on all rows, and one on every third row.
func twoPaths(input string, tolerance float64) Path {
	d := clusters(1500, 21, 4, 3)
	var third []int32
	for r := int32(0); r < 1500; r += 3 {
		third = append(third, r)
	}
	return Path{
		Train: d, Options: Options{Input: input}, Decays: []float64{3, 0.3, 0.01}, Parts: []Part{{}, {Train: third}},
		Tolerance: tolerance, Iterations: 500,
	}
}

func TestPathsComeToTheHeadsOfATrainer(t *testing.T) {
	for _, input := range Choices()["Input"] {
		p := twoPaths(input, 1e-9)
		for part, heads := range pathOf(t, p) {
			for i, h := range heads {
				o := Options{Input: input, Optimizer: OptimizerLBFGS, Epochs: 500, WeightDecay: p.Decays[i]}
				r, err := New().Fit(t.Context(), Job{Train: p.Train, Heads: []Options{o}, Parts: p.Parts[part : part+1]})
				if err != nil {
					t.Fatal(err)
				}
				a, b := make([]float32, 1500*4), make([]float32, 1500*4)
				h.Logits(a, p.Train.X, 1500)
				r[0].Head.Logits(b, p.Train.X, 1500)
				for i := range a { // a constant that all logits share changes no probability
					one, other := a[i]-a[i/4*4], b[i]-b[i/4*4]
					if !(math.Abs(float64(one-other)) <= 1e-3) {
						t.Fatalf("%s, part %d, decay %v: a logit is %v along the path, %v alone", input, part, o.WeightDecay, one, other)
					}
				}
			}
		}
	}
}

func TestPathsAreTheSameAtAnyNumberOfThreads(t *testing.T) {
	p := twoPaths(InputStandardise, 1e-3)
	p.Options.Threads = 1
	one := pathOf(t, p)
	p.Options.Threads = 3
	for part, heads := range pathOf(t, p) {
		for i, h := range heads {
			if !sameHead(h, one[part][i]) {
				t.Errorf("part %d, decay %v: the heads differ", part, p.Decays[i])
			}
		}
	}
}

// A warm start saves passes, so that the whole path takes fewer than its heads alone.
func TestWarmStartsAreCheaper(t *testing.T) {
	iterations := func(p Path) (n int) {
		for _, h := range pathOf(t, p)[0] {
			var r recipe
			if err := json.Unmarshal(h.Recipe, &r); err != nil {
				t.Fatal(err)
			}
			n += r.Epochs
		}
		return n
	}
	p := twoPaths(InputStandardise, 1e-4)
	warm, cold := iterations(p), 0
	for _, decay := range p.Decays {
		alone := p
		alone.Decays = []float64{decay}
		cold += iterations(alone)
	}
	if warm >= cold {
		t.Errorf("%d iterations warm, %d cold", warm, cold)
	}
}

// fitPath returns the results of a path, by part and decay.
func fitPath(t *testing.T, p Path) [][]Result {
	t.Helper()
	results, err := p.Fit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// fiveFolds is a path on five folds of the rows, each validated on the fifth that it does
// not learn from.
func fiveFolds(o Options) Path {
	p := Path{Train: clusters(1000, 37, 4, 3), Options: o, Decays: []float64{2, 0.5, 0.02, 0.001, 0}, Tolerance: 1e-4, Iterations: 200}
	p.Parts = fifths(p.Train)
	return p
}

// The heads are those of Walk, and their numbers those of the heads.
func TestAPathJudgesItsHeads(t *testing.T) {
	for _, o := range []Options{{}, {Input: InputNone, LabelSmoothing: 0.1}, {Input: InputL2, ClassWeights: ClassWeights{Map: map[string]float64{"class 1": 3}}}} {
		p := fiveFolds(o)
		told := map[[2]int]int{}
		var last Epoch
		p.OnEpoch = func(part, decay int, e Epoch) {
			told[[2]int{part, decay}]++
			if last = e; e.Epoch != told[[2]int{part, decay}] {
				t.Errorf("epoch %d is told in place %d", e.Epoch, told[[2]int{part, decay}])
			}
		}
		walked := pathOf(t, p)
		for part, results := range fitPath(t, p) {
			for i, r := range results {
				if !sameHead(r.Head, walked[part][i]) {
					t.Errorf("part %d, decay %v: the head is another than that of Walk", part, p.Decays[i])
				}
				n := len(r.History)
				if r.BestEpoch != n || n == 0 || told[[2]int{part, i}] != n || r.Stopped != StoppedConverged {
					t.Errorf("part %d, decay %v: best epoch %d of %d, %d told, %s", part, p.Decays[i], r.BestEpoch, n, told[[2]int{part, i}], r.Stopped)
				}
				if got, want := r.TrainLoss, measure(r.Head, setOf(p.Train, InputNone, p.Parts[part].Train)).loss; !(math.Abs(got-want) <= 1e-5*(1+want)) {
					t.Errorf("part %d, decay %v: the training loss is %v, that of the head %v", part, p.Decays[i], got, want)
				}
				e, want := r.History[n-1], measure(r.Head, setOf(p.Train, InputNone, p.Parts[part].Val))
				if !(math.Abs(*e.ValLoss-want.loss) <= 1e-5*(1+want.loss)) || *e.ValAcc != want.accuracy || *e.ValMacroF1 != want.macroF1 || *e.ValBalancedAcc != want.balancedAccuracy {
					t.Errorf("part %d, decay %v: validation says %v and %v, the head %+v", part, p.Decays[i], *e.ValLoss, *e.ValAcc, want)
				}
				for _, e := range r.History[:n-1] {
					if e.ValLoss != nil {
						t.Errorf("epoch %d of %d is validated", e.Epoch, n)
					}
				}
			}
		}
		if last.ValLoss == nil {
			t.Error("the last epoch of a head is told without its validation")
		}
	}
}

// A head's objective is above the least by about the tolerance: a step promises less than
// all that is left.
func TestAPathComesAsNearAsItsTolerance(t *testing.T) {
	for _, tolerance := range []float64{1e-2, 1e-4, 1e-6} {
		p := fiveFolds(Options{Input: InputNone})
		p.Tolerance, p.Decays = tolerance, []float64{2, 0.5, 0.02, 0.001}
		for part, results := range fitPath(t, p) {
			for i, r := range results {
				o := Options{Input: InputNone, Optimizer: OptimizerLBFGS, Epochs: 500, WeightDecay: p.Decays[i]}
				best, err := New().Fit(t.Context(), Job{Train: p.Train, Heads: []Options{o}, Parts: p.Parts[part : part+1]})
				if err != nil {
					t.Fatal(err)
				}
				got, least := r.TrainLoss+penalty(r.Head, o.WeightDecay), best[0].TrainLoss+penalty(best[0].Head, o.WeightDecay)
				if !(got-least <= (5*tolerance+1e-6)*least) {
					t.Errorf("tolerance %v, part %d, decay %v: %v, the least is %v", tolerance, part, o.WeightDecay, got, least)
				}
			}
		}
	}
}

// The threads that are left over when parts are done work on the others, which makes no
// difference to any.
func TestAPathIsTheSameAtAnyNumberOfThreads(t *testing.T) {
	p := fiveFolds(Options{Threads: 1})
	want := fitPath(t, p)
	for _, p.Options.Threads = range []int{2, 3, 16} {
		for part, results := range fitPath(t, p) {
			for i, r := range results {
				w := want[part][i]
				if !sameHead(r.Head, w.Head) || r.TrainLoss != w.TrainLoss || *r.History[len(r.History)-1].ValLoss != *w.History[len(w.History)-1].ValLoss {
					t.Errorf("%d threads, part %d, decay %v: the results differ", p.Options.Threads, part, p.Decays[i])
				}
			}
		}
	}
}

// Where the line through two heads leads astray, the next one begins at the last of them.
func TestALineThatLeadsAstrayIsLeft(t *testing.T) {
	p := twoPaths(InputStandardise, 1e-9)
	p.Decays = []float64{3, 2.9, 1e-100}
	for r := 0; r < len(p.Train.Labels); r += 3 {
		p.Train.Labels[r] = int32(r / 3 % 4) // so that weights do not grow without end
	}
	job, err := p.job(nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.begin(t.Context(), job, 0, newCrew(2, 1, 1))
	defer w.close()
	if err != nil {
		t.Fatal(err)
	}
	loss, heads := make([]float64, 3), make([]*Head, 3)
	for i, decay := range p.Decays {
		if i == 2 {
			w.m.share = 1e9 // any point will do, so that no step is taken
		}
		if err := w.train(t.Context(), decay); err != nil {
			t.Fatal(err)
		}
		if heads[i], err = w.f.head(w.s, 1); err != nil {
			t.Fatal(err)
		}
		loss[i] = w.f.sum.loss / w.f.weight
	}
	if !slices.Equal(heads[2].W, heads[1].W) || loss[2] != loss[1] || slices.Equal(heads[1].W, heads[0].W) {
		t.Errorf("the path is not where it was: losses %v", loss)
	}
}

func TestAPathEndsWhereAHeadDiverges(t *testing.T) {
	x := []float32{3e38, -3e38, -3e38, -3e38, -3e38, -3e38, -3e38, -3e38, -3e38}
	p := Path{Train: &Dataset{X: x, Dim: 1, Labels: []int32{0, 1, 1, 1, 0, 1, 1, 1, 1}, Classes: []string{"a", "b"}},
		Options: Options{Input: InputNone}, Decays: []float64{1, 0}, Parts: []Part{{}}, Iterations: 10}
	results, err := p.Fit(t.Context())
	if !errors.Is(err, ErrDiverged) || len(results) != 1 || len(results[0]) != 2 || results[0][0].Head != nil || results[0][1].Head != nil {
		t.Errorf("%+v, %v", results, err)
	}
}

// What is whole when the context ends is there, and nothing else.
func TestAnInterruptedPathKeepsWholeParts(t *testing.T) {
	p := fiveFolds(Options{Threads: 1})
	want := fitPath(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	p.OnEpoch = func(part, decay int, _ Epoch) {
		if part == 2 && decay == 3 {
			cancel()
		}
	}
	results, err := p.Fit(ctx)
	if !errors.Is(err, context.Canceled) || len(results) != 5 {
		t.Fatalf("%d parts, %v", len(results), err)
	}
	for part, of := range results {
		if whole := of != nil; whole != (part < 2) || whole && !sameHead(of[4].Head, want[part][4].Head) {
			t.Errorf("part %d: %d results", part, len(of))
		}
	}
}

// What a walk does not come to has no influence on what it came to.
func TestAWalkEndsWhenItIsEnough(t *testing.T) {
	p := twoPaths(InputStandardise, 1e-3)
	whole := pathOf(t, p)
	var asked []int
	p.Enough = func(decay int) bool { asked = append(asked, decay); return decay == 1 }
	for part, heads := range pathOf(t, p) {
		if len(heads) != 2 || !sameHead(heads[0], whole[part][0]) || !sameHead(heads[1], whole[part][1]) {
			t.Errorf("part %d: %d heads", part, len(heads))
		}
	}
	if !slices.Equal(asked, []int{0, 1}) {
		t.Errorf("asked after %v", asked)
	}
}

func TestPathsRefuseWhatTheyCannotWalk(t *testing.T) {
	none := func(int, int, *Head) error { return nil }
	for _, spoil := range []func(*Path){
		func(p *Path) { p.Decays = nil },
		func(p *Path) { slices.Reverse(p.Decays) },
		func(p *Path) { p.Decays[2] = -1 },
		func(p *Path) { p.Tolerance = -1 },
		func(p *Path) { p.Iterations = -1 },
		func(p *Path) { p.Options.Mixup = 0.2 },
		func(p *Path) { p.Options.Kind = KindMLP },
	} {
		p := twoPaths(InputStandardise, 1e-3)
		spoil(&p)
		if err := p.Walk(t.Context(), none); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", p.Options, err)
		}
	}
	for _, spoil := range []func(*Path){
		func(p *Path) { p.Decays = nil },
		func(p *Path) { p.Val = clusters(9, 4, 4, 1) },
		func(p *Path) { p.Iterations = 0 },
	} {
		p := fiveFolds(Options{})
		spoil(&p)
		if _, err := p.Fit(t.Context()); !errors.Is(err, ErrOptions) && !errors.Is(err, ErrDataset) {
			t.Errorf("%+v: %v", p.Options, err)
		}
	}
	p := twoPaths(InputStandardise, 1e-3)
	stop := errors.New("enough")
	if err := p.Walk(t.Context(), func(int, int, *Head) error { return stop }); err != stop {
		t.Errorf("the walk went on: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Walk(ctx, none); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
