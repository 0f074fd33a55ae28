package headtrain

import (
	"math"
	"testing"

	"icebox/headtrain/internal/kernel"
)

// withDead sets feature 1 to 0, feature 3 to a constant and feature 5 to a
// value that differs from another constant in its last bits only.
func withDead(d *Dataset) *Dataset {
	for r := range d.Rows() {
		row := d.Row(r)
		row[1], row[3], row[5] = 0, 7.5, 3+float32(r%2)*0x1p-21
	}
	return d
}

func TestConstantFeaturesGetNoWeight(t *testing.T) {
	for _, scale := range []float32{1, 1e-12, 1e12} {
		d := withDead(clusters(400, 12, 4, 1))
		for i := range d.X {
			d.X[i] *= scale
		}
		h := fitOne(t, Job{Train: d}, Options{}).Head
		for c := range h.Classes {
			for j, w := range h.W[c*h.Dim : (c+1)*h.Dim] {
				if dead := j == 1 || j == 3 || j == 5; dead != (w == 0) {
					t.Errorf("scale %v: class %d gives feature %d the weight %v", scale, c, j, w)
				}
			}
		}
		// A dead unit that comes alive later must not upset a prediction.
		x := append([]float32(nil), d.Row(0)...)
		want := h.Predict(x, 1)[0]
		x[1], x[3] = 1e6*scale, -1e6*scale
		if got := h.Predict(x, 1)[0]; got != want {
			t.Errorf("scale %v: %v became %v", scale, want, got)
		}
	}
}

func TestDatasetOfConstantsTrains(t *testing.T) {
	d := clusters(40, 6, 2, 1)
	for i := range d.X {
		d.X[i] = 2
	}
	r := fitOne(t, Job{Train: d}, Options{Epochs: 100, LR: 0.01})
	if !(math.Abs(r.TrainLoss-math.Ln2) <= 1e-3) {
		t.Errorf("loss %v of two even classes without features, want ln 2", r.TrainLoss)
	}
}

// The head takes raw features, whatever was done to them in training.
func TestFoldedHeadGivesTheLogitsOfTraining(t *testing.T) {
	d := withDead(clusters(300, 40, 7, 2))
	for _, kind := range []string{InputStandardise, InputNone, InputL2} {
		o := Options{Input: kind, Epochs: 5, LR: 0.01}
		s := newTestStack(t, kernel.Best(), Job{Train: d, Heads: []Options{o}})
		s.trainBatch(s.train.Rows[:100], nil)
		h, err := s.heads[0].head(s, 1)
		if err != nil {
			t.Fatal(err)
		}
		s.task = passTask{set: s.train, rows: s.train.Rows[:200], headGroups: 1}
		k := len(d.Classes)
		logits := make([]float32, 200*k)
		h.Logits(logits, d.X[:200*d.Dim], 200)
		w, z := &s.workers[0], make([]float32, k*kernel.Block)
		for r := range 200 {
			if r%kernel.Block == 0 {
				s.logits(z, w.x, w, r, s.params, k, nil)
			}
			for c := range k {
				if got, want := logits[r*k+c], z[c*kernel.Block+r%kernel.Block]; !(math.Abs(float64(got-want)) <= 2e-5) {
					t.Fatalf("%s: logit %d of row %d is %v, want %v", kind, c, r, got, want)
				}
			}
		}
	}
}

func TestUnitLengthRowsIgnoreScale(t *testing.T) {
	d := clusters(200, 10, 3, 1)
	h := fitOne(t, Job{Train: d}, Options{Input: InputL2}).Head
	x := append([]float32(nil), d.Row(4)...)
	want := h.Predict(x, 3)
	for j := range x {
		x[j] *= 1024
	}
	for i, p := range h.Predict(x, 3) {
		if p.Class != want[i].Class || !(math.Abs(p.Probability-want[i].Probability) <= 1e-6) {
			t.Errorf("scaled row gives %v, want %v", p, want[i])
		}
	}
	zero := h.Predict(make([]float32, 10), 1)
	if p := zero[0].Probability; !(p > 0 && p <= 1) {
		t.Errorf("a row of zeros gives %v", zero)
	}
}
