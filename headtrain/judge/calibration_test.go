package judge

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
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
	if c := given(t, z, y, 4, 1).Calibration(); c.ECE > 0.005 {
		t.Errorf("ECE %v of probabilities that hold", c.ECE)
	}
	if c := given(t, z, y, 4, 0.25).Calibration(); c.ECE < 0.1 {
		t.Errorf("ECE %v of probabilities that are far too sure", c.ECE)
	}
}

func TestTemperatureIsFoundAgain(t *testing.T) {
	for _, want := range []float64{0.4, 1, 3.5} {
		z, y := drawn(50_000, 5, want, 2)
		got, ok, err := Temperature(t.Context(), headtrain.GivenLogits(z, 5), y)
		if err != nil || !ok || !(math.Abs(got/want-1) <= 0.03) {
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
		temperature, ok, err := Temperature(rt.Context(), headtrain.GivenLogits(z, k), y)
		if err != nil || !ok && temperature != 1 {
			rt.Fatalf("%v, %v, %v", temperature, ok, err)
		}
		before, after := given(rt, z, y, k, 1).Calibration(), given(rt, z, y, k, temperature).Calibration()
		if after.Loss > before.Loss+1e-12 {
			rt.Errorf("temperature %v raises the loss from %v to %v", temperature, before.Loss, after.Loss)
		}
		p := make([]float64, k)
		for i := range n {
			row := z[i*k : (i+1)*k]
			h := &headtrain.Head{Classes: testkit.Names(k), Dim: 1, W: make([]float32, k), B: row, Temperature: temperature}
			plain := &headtrain.Head{Classes: h.Classes, Dim: 1, W: h.W, B: row}
			if a, b := h.Predict([]float32{1}, 1)[0], plain.Predict([]float32{1}, 1)[0]; a.Class != b.Class || a.Index != Softmax(p, row, temperature) {
				rt.Errorf("temperature %v makes %v of %v", temperature, a, b)
			}
		}
	})
}

func TestHeadWithoutMistakesOrWithoutSenseGetsNoTemperature(t *testing.T) {
	for name, labels := range map[string][]int32{"no mistake": {0, 1}, "nothing else": {1, 0}} {
		temperature, ok, err := Temperature(t.Context(), headtrain.GivenLogits([]float32{2, 1, 1, 3}, 2), labels)
		if temperature != 1 || ok || err != nil {
			t.Errorf("%s: %v, %v, %v", name, temperature, ok, err)
		}
	}
	if _, _, err := Temperature(t.Context(), headtrain.GivenLogits([]float32{1, 2}, 2), []int32{-1}); !errors.Is(err, headtrain.ErrDataset) {
		t.Errorf("no labelled row: %v", err)
	}
}

func TestBinsCloseOnTheRight(t *testing.T) {
	var b bins
	for i := 1; i <= binCount; i++ {
		b.add(min(binEdge(i), 1), true)
	}
	b.add(0, false)
	out, _ := b.finish(binCount + 1)
	for i, bin := range out {
		if want := 1 + max(0, 1-i); bin.Rows != want {
			t.Errorf("bin %d has %d rows, want %d", i, bin.Rows, want)
		}
	}
}
