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
		p := twoPaths(input, LBFGSTolerance)
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
