package headtrain

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawn returns logits and labels drawn from the very probabilities that the
// logits give at a temperature.
func drawn(n, k int, temperature float64, seed uint64) ([]float32, []int32) {
	r := rand.New(rand.NewPCG(seed, 5))
	z, y := make([]float32, n*k), make([]int32, n)
	p := make([]float64, k)
	for i := range n {
		row := z[i*k : (i+1)*k]
		for c := range row {
			row[c] = float32(2 * r.NormFloat64())
		}
		Softmax(p, row, temperature)
		at := r.Float64()
		for c := range k - 1 {
			if at -= p[c]; at < 0 {
				break
			}
			y[i]++
		}
	}
	return z, y
}

func TestProbabilitiesThatHoldHaveNoCalibrationError(t *testing.T) {
	z, y := drawn(100_000, 4, 1, 1)
	c, err := Calibrate(z, y, 4, 1)
	if err != nil || c.ECE > 0.005 {
		t.Errorf("ECE %v of probabilities that hold, %v", c.ECE, err)
	}
	if c, _ := Calibrate(z, y, 4, 0.25); c.ECE < 0.1 {
		t.Errorf("ECE %v of probabilities that are far too sure", c.ECE)
	}
}

func TestTemperatureIsFoundAgain(t *testing.T) {
	for _, want := range []float64{0.4, 1, 3.5} {
		z, y := drawn(50_000, 5, want, 2)
		got, ok, err := FitTemperature(z, y, 5)
		if err != nil || !ok || math.Abs(got/want-1) > 0.03 {
			t.Errorf("labels drawn at temperature %v gave %v, %v, %v", want, got, ok, err)
		}
	}
}

func TestTemperatureChangesNoLabelAndLowersTheLoss(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, n := rapid.IntRange(2, 6).Draw(rt, "classes"), rapid.IntRange(1, 30).Draw(rt, "rows")
		z := rapid.SliceOfN(rapid.Float32Range(-30, 30), n*k, n*k).Draw(rt, "logits")
		y := rapid.SliceOfN(rapid.Int32Range(-1, int32(k-1)), n, n).Draw(rt, "labels")
		y[0] = 0
		temperature, ok, err := FitTemperature(z, y, k)
		if err != nil || !ok && temperature != 1 {
			rt.Fatalf("%v, %v, %v", temperature, ok, err)
		}
		before, _ := Calibrate(z, y, k, 1)
		after, _ := Calibrate(z, y, k, temperature)
		if after.Loss > before.Loss+1e-12 {
			rt.Errorf("temperature %v raises the loss from %v to %v", temperature, before.Loss, after.Loss)
		}
		p := make([]float64, k)
		for i := range n {
			row := z[i*k : (i+1)*k]
			h := &Head{Classes: classNames(k), Dim: 1, W: make([]float32, k), B: row, Temperature: temperature}
			plain := &Head{Classes: h.Classes, Dim: 1, W: h.W, B: row}
			if a, b := h.Predict([]float32{1}, 1)[0], plain.Predict([]float32{1}, 1)[0]; a.Class != b.Class || a.Index != Softmax(p, row, temperature) {
				rt.Errorf("temperature %v makes %v of %v", temperature, a, b)
			}
		}
	})
}

func TestHeadWithoutMistakesOrWithoutSenseGetsNoTemperature(t *testing.T) {
	for name, labels := range map[string][]int32{"no mistake": {0, 1}, "nothing else": {1, 0}} {
		temperature, ok, err := FitTemperature([]float32{2, 1, 1, 3}, labels, 2)
		if temperature != 1 || ok || err != nil {
			t.Errorf("%s: %v, %v, %v", name, temperature, ok, err)
		}
	}
	if _, _, err := FitTemperature([]float32{1, 2}, []int32{-1}, 2); !errors.Is(err, ErrDataset) {
		t.Errorf("no labelled row: %v", err)
	}
}

func TestBinsCloseOnTheRight(t *testing.T) {
	var b bins
	for i := 1; i <= ReliabilityBins; i++ {
		b.add(min(binEdge(i), 1), true)
	}
	b.add(0, false)
	out, _ := b.finish(ReliabilityBins + 1)
	for i, bin := range out {
		if want := 1 + max(0, 1-i); bin.Rows != want {
			t.Errorf("bin %d has %d rows, want %d", i, bin.Rows, want)
		}
	}
}

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
		r, ok, err := ChooseRejection(z, y, 3, 2, RejectGoal{Precision: want})
		if err != nil || ok && r.Precision < want {
			rt.Fatalf("precision %v, reached %v: %+v, %v", want, ok, r, err)
		}
		if again, _ := Reject(z, y, 3, 2, r.Threshold); again != r {
			rt.Errorf("chosen %+v, applied %+v", r, again)
		}
		for _, p := range thresholds(z, 3, 2) {
			if other, _ := Reject(z, y, 3, 2, p); other.Precision >= want && (!ok || other.Answered > r.Answered) {
				rt.Errorf("%+v reaches %v and answers more than %+v", other, want, r)
			} else if !ok && other.Precision > r.Precision {
				rt.Errorf("%+v comes closer than %+v", other, r)
			}
		}
		r, ok, err = ChooseRejection(z, y, 3, 2, RejectGoal{Coverage: want})
		if err != nil || !ok || r.Coverage < want {
			rt.Fatalf("coverage %v, reached %v: %+v, %v", want, ok, r, err)
		}
		for _, p := range thresholds(z, 3, 2) {
			if other, _ := Reject(z, y, 3, 2, p); p > r.Threshold && other.Coverage >= want {
				rt.Errorf("threshold %v is higher than %+v and keeps the coverage", p, r)
			}
		}
	})
}

// thresholds are all that make a difference.
func thresholds(z []float32, k int, temperature float64) []float64 {
	var all []float64
	for i := 0; i < len(z); i += k {
		_, sum := softmaxTop(z[i:i+k], temperature)
		all = append(all, 1/sum)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestUnknownIsUnderTheThreshold(t *testing.T) {
	h := &Head{Classes: classNames(2), Dim: 1, W: []float32{0, float32(math.Log(3))}, B: make([]float32, 2), Threshold: 0.7}
	if h.Unknown(h.Predict([]float32{1}, 1)) {
		t.Error("0.75 is not under 0.7")
	}
	h.Temperature = 2 // √3 to 1
	if !h.Unknown(h.Predict([]float32{1}, 1)) {
		t.Error("0.634 is under 0.7")
	}
}

func TestRejectGoalIsOneOfTwo(t *testing.T) {
	for _, g := range []RejectGoal{{Precision: 0.9, Coverage: 0.5}, {Precision: -1}, {Coverage: 1.5}, {Precision: math.NaN()}} {
		if err := g.Validate(); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", g, err)
		}
	}
}
