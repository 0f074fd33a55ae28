package judge

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"icebox/headtrain"
	"icebox/headtrain/internal/softmax"
)

func TestThresholdReachesItsGoal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		z, y := drawn(rapid.IntRange(1, 300).Draw(rt, "rows"), 3, 1, seed)
		if rapid.Bool().Draw(rt, "equal logits") {
			for i := range z {
				z[i] = float32(math.Round(float64(z[i])))
			}
		}
		want := rapid.Float64Range(0.01, 1).Draw(rt, "goal")
		a := given(rt, z, y, 3, 2)
		r, ok, err := a.Threshold(Goal{Precision: want})
		if err != nil || ok && r.Precision < want {
			rt.Fatalf("precision %v, reached %v: %+v, %v", want, ok, r, err)
		}
		if again := a.Reject(r.Threshold); again != r {
			rt.Errorf("chosen %+v, applied %+v", r, again)
		}
		for _, p := range thresholds(z, 3, 2) {
			if other := a.Reject(p); other.Precision >= want && (!ok || other.Answered > r.Answered) {
				rt.Errorf("%+v reaches %v and answers more than %+v", other, want, r)
			} else if !ok && other.Precision > r.Precision {
				rt.Errorf("%+v comes closer than %+v", other, r)
			}
		}
		r, ok, err = a.Threshold(Goal{Coverage: want})
		if err != nil || !ok || r.Coverage < want {
			rt.Fatalf("coverage %v, reached %v: %+v, %v", want, ok, r, err)
		}
		for _, p := range thresholds(z, 3, 2) {
			if other := a.Reject(p); p > r.Threshold && other.Coverage >= want {
				rt.Errorf("threshold %v is higher than %+v and keeps the coverage", p, r)
			}
		}
	})
}

func TestRejectionsAreOnesOfThresholds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		z, y := drawn(rapid.IntRange(1, 300).Draw(rt, "rows"), 3, 1, rapid.Uint64().Draw(rt, "seed"))
		if rapid.Bool().Draw(rt, "equal logits") {
			for i := range z {
				z[i] = float32(math.Round(float64(z[i])))
			}
		}
		most := rapid.IntRange(1, 50).Draw(rt, "most")
		a := given(rt, z, y, 3, 2)
		curve := a.Rejections(most)
		if len(curve) == 0 || len(curve) > most || curve[0].Coverage != 1 {
			rt.Fatalf("%d of at most %d: %+v", len(curve), most, curve)
		}
		for i, r := range curve {
			if again := a.Reject(r.Threshold); again != r {
				rt.Errorf("on the curve %+v, applied %+v", r, again)
			}
			if i > 0 && r.Coverage >= curve[i-1].Coverage {
				rt.Errorf("%+v comes after %+v", r, curve[i-1])
			}
		}
	})
}

// thresholds are all that make a difference.
func thresholds(z []float32, k int, temperature float64) []float64 {
	var all []float64
	for i := 0; i < len(z); i += k {
		_, sum := softmax.Top(z[i:i+k], temperature)
		all = append(all, 1/sum)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestGoalIsOneOfTwo(t *testing.T) {
	for _, g := range []Goal{{Precision: 0.9, Coverage: 0.5}, {Precision: -1}, {Coverage: 1.5}, {Precision: math.NaN()}} {
		if err := g.Validate(); !errors.Is(err, headtrain.ErrOptions) {
			t.Errorf("%+v: %v", g, err)
		}
	}
}
