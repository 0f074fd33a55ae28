package judge

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/testkit"
)

// judgeFixture is what make_judge_fixtures.py wrote.
type judgeFixture struct {
	Cases []struct {
		Name            string
		Classes         int
		Logits          []float32
		Labels          []int32
		Macro, Weighted Average
		BestTemperature float64 `json:"best_temperature"`
		BestLoss        float64 `json:"best_loss"`
		Calibration     []struct {
			Temperature, Loss, ECE float64
			Rows                   []int
			Accuracy, Confidence   []float64 // of the bins that have rows
		}
	}
	Baselines struct {
		Dim, Classes int
		X, Queries   []float32
		Labels       []int32
		Ridges       []struct {
			Penalty float64
			Scores  []float64
		}
		Votes []struct {
			K      int
			Labels []int
		}
		Rows    [][]int
		Cosines [][]float64
	}
}

// given returns the answers that logits give at a temperature.
func given(t interface {
	Context() context.Context
	Fatal(args ...any)
}, logits []float32, labels []int32, classes int, temperature float64) *Answers {
	a, err := NewAnswers(t.Context(), headtrain.GivenLogits(logits, classes), labels, temperature)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCalibrationEqualsScikitLearn(t *testing.T) {
	var fixture judgeFixture
	testkit.Read(t, "judge.json", &fixture)
	for _, c := range fixture.Cases {
		for _, want := range c.Calibration {
			got := given(t, c.Logits, c.Labels, c.Classes, want.Temperature).Calibration()
			if !(math.Abs(got.Loss-want.Loss) <= 1e-12) || !(math.Abs(got.ECE-want.ECE) <= 1e-12) {
				t.Errorf("%s at %v: loss %v, ECE %v; want %v, %v", c.Name, want.Temperature, got.Loss, got.ECE, want.Loss, want.ECE)
			}
			full := 0
			for i, bin := range got.Reliability {
				if bin.Rows != want.Rows[i] {
					t.Errorf("%s at %v: bin %d has %d rows, want %d", c.Name, want.Temperature, i, bin.Rows, want.Rows[i])
				}
				if bin.Rows == 0 {
					continue
				}
				if !(math.Abs(bin.Accuracy-want.Accuracy[full]) <= 1e-12) || !(math.Abs(bin.Confidence-want.Confidence[full]) <= 1e-12) {
					t.Errorf("%s at %v: bin %d is %+v, want accuracy %v, confidence %v", c.Name, want.Temperature, i, bin, want.Accuracy[full], want.Confidence[full])
				}
				full++
			}
		}
	}
}

func TestAveragesEqualScikitLearn(t *testing.T) {
	var fixture judgeFixture
	testkit.Read(t, "judge.json", &fixture)
	for _, c := range fixture.Cases {
		got := given(t, c.Logits, c.Labels, c.Classes, 1).Report(testkit.Names(c.Classes))
		want := []Average{c.Macro, c.Weighted}
		if d := cmp.Diff(want, []Average{got.Macro, got.Weighted}, cmpopts.EquateApprox(0, 1e-12)); d != "" {
			t.Errorf("%s: -scikit-learn +Report:\n%s", c.Name, d)
		}
		if one := c.Calibration[0]; !(math.Abs(got.ECE-one.ECE) <= 1e-12) || len(got.Reliability) != binCount {
			t.Errorf("%s: the report has ECE %v in %d bins, want %v", c.Name, got.ECE, len(got.Reliability), one.ECE)
		}
	}
}

func TestTemperatureEqualsScipy(t *testing.T) {
	var fixture judgeFixture
	testkit.Read(t, "judge.json", &fixture)
	for _, c := range fixture.Cases {
		got, ok, err := Temperature(t.Context(), headtrain.GivenLogits(c.Logits, c.Classes), c.Labels)
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", c.Name, ok, err)
		}
		if !(math.Abs(got/c.BestTemperature-1) <= 1e-6) { // scipy's search stops there
			t.Errorf("%s: temperature %v, want %v", c.Name, got, c.BestTemperature)
		}
		if at := given(t, c.Logits, c.Labels, c.Classes, got).Calibration(); at.Loss > c.BestLoss+1e-14 {
			t.Errorf("%s: loss %v, want at most %v", c.Name, at.Loss, c.BestLoss)
		}
	}
}

func (f *judgeFixture) sets() (train, queries *labelled.Matrix) {
	b := f.Baselines
	train = &labelled.Matrix{X: b.X, Dim: b.Dim, Labels: b.Labels, Classes: testkit.Names(b.Classes)}
	return train, &labelled.Matrix{X: b.Queries, Dim: b.Dim, Labels: make([]int32, len(b.Queries)/b.Dim), Classes: train.Classes}
}

func TestNeighboursEqualScikitLearn(t *testing.T) {
	var fixture judgeFixture
	testkit.Read(t, "judge.json", &fixture)
	train, queries := fixture.sets()
	got, err := neighbours(t.Context(), train, queries, 20)
	if err != nil {
		t.Fatal(err)
	}
	for q, list := range got {
		for i, n := range list {
			if n.Row != fixture.Baselines.Rows[q][i] || !(math.Abs(n.Cosine-fixture.Baselines.Cosines[q][i]) <= 1e-12) {
				t.Errorf("query %d: neighbour %d is %+v, want row %d with %v", q, i, n, fixture.Baselines.Rows[q][i], fixture.Baselines.Cosines[q][i])
			}
		}
		for _, v := range fixture.Baselines.Votes {
			if label := vote(list, v.K, train.Labels, len(train.Classes)); label != v.Labels[q] {
				t.Errorf("query %d: %d neighbours vote for %d, want %d", q, v.K, label, v.Labels[q])
			}
		}
	}
}

func TestRidgeEqualsScikitLearn(t *testing.T) {
	var fixture judgeFixture
	testkit.Read(t, "judge.json", &fixture)
	train, queries := fixture.sets()
	for _, want := range fixture.Baselines.Ridges {
		heads, err := fitRidge(t.Context(), labelled.Of(train), []float64{want.Penalty})
		if err != nil {
			t.Fatal(err)
		}
		scores := make([]float32, len(want.Scores))
		heads[0].Logits(scores, queries.X, queries.Len())
		for i, v := range scores {
			if !(math.Abs(float64(v)-want.Scores[i]) <= 1e-5) {
				t.Fatalf("penalty %v: score %d is %v, want %v", want.Penalty, i, v, want.Scores[i])
			}
		}
	}
}
