package probe

import (
	"math/rand/v2"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
	"icebox/headtrain/judge"
)

func TestOutOfFoldHeadsDoNotSeeTheirRows(t *testing.T) {
	// Labels are noise: a head that had seen its rows would know them.
	d := clusters(400, 60, 2, 1)
	r := rand.New(rand.NewPCG(2, 2))
	for i := range d.Labels {
		d.Labels[i] = int32(r.IntN(2))
	}
	logits, err := OutOfFold(t.Context(), headtrain.New(), d, folds(400, 5), 5, nil, headtrain.Options{Epochs: 40, LR: 1e-2})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := judge.NewAnswers(t.Context(), logits, d.Labels, 1)
	if err != nil {
		t.Fatal(err)
	}
	if report := answers.Report(d.Classes); report.Top1 > 0.62 {
		t.Errorf("out of fold, noise is predicted with %v", report.Top1)
	}
	// A head of one fold is the head of a job without its rows.
	one := &headtrain.Dataset{X: d.X, Dim: d.Dim, Classes: d.Classes}
	for i, f := range folds(400, 5) {
		one.Labels = append(one.Labels, d.Labels[i])
		if f == 3 {
			one.Labels[i] = -1
		}
	}
	h := fitOne(t, one, headtrain.Options{Epochs: 40, LR: 1e-2})
	z := make([]float32, 2)
	h.Logits(z, d.Row(6), 1)
	if got := logits.Reader()(6); !testkit.SameBits(z, got) {
		t.Errorf("row 6 has logits %v, want %v", got, z)
	}
}

// fitOne trains one head on all of d.
func fitOne(t *testing.T, d *headtrain.Dataset, o headtrain.Options) *headtrain.Head {
	t.Helper()
	results, err := headtrain.New().Fit(t.Context(), headtrain.Job{Train: d, Heads: []headtrain.Options{o}})
	if err != nil {
		t.Fatal(err)
	}
	return results[0].Head
}
