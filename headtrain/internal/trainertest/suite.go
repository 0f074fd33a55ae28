// Package trainertest is the suite of tests that every engine of headtrain passes. It
// holds engines to what headtrain.Trainer promises.
package trainertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
	"icebox/headtrain/judge"
)

// suite is one engine under test, with heads of one kind.
type suite struct {
	headtrain.Engine
	base headtrain.Options
}

// Run holds an engine to the contract of Trainer for heads of a kind.
func Run(t *testing.T, e headtrain.Engine, kind string) {
	s := suite{Engine: e, base: headtrain.Options{Kind: kind}}
	if kind == headtrain.KindMLP {
		s.base.Hidden, s.base.Dropout = 20, 0.1
	}
	for name, test := range map[string]func(*testing.T){
		"SeedAndOptionsAloneDecideTheHead": s.repeats,
		"HeadOfAJobEqualsTheHeadAlone":     s.alone,
		"UnlabelledRowsDoNotCount":         s.unlabelled,
		"ClassOfWeightZeroDoesNotCount":    s.weightless,
		"EveryShapeTrains":                 s.shapes,
		"SeparableClassesAreLearnt":        s.learns,
		"EarlyStoppingKeepsTheBestEpoch":   s.stops,
		"CancelledFitKeepsTheHeadsBefore":  s.cancels,
		"DivergedHeadIsNamed":              s.diverges,
		"FaultsAreRefused":                 s.refuses,
		"SavedHeadPredictsTheSame":         s.saves,
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			test(t)
		})
	}
}

// with returns options of the suite's kind.
func (s suite) with(o headtrain.Options) headtrain.Options {
	o.Kind, o.Hidden, o.Dropout = s.base.Kind, s.base.Hidden, s.base.Dropout
	return o
}

// variety is what of Variety the engine knows, cut to a few epochs.
func (s suite) variety(t *testing.T, epochs int) []headtrain.Options {
	var all []headtrain.Options
	for _, o := range Variety() {
		o = s.with(o)
		o.Epochs = epochs
		if s.Check(o) == nil {
			all = append(all, o)
		}
	}
	if len(all) < 5 {
		t.Fatalf("%s knows only %d of the options", s.Name, len(all))
	}
	return all
}

func (s suite) fit(t *testing.T, job headtrain.Job, o headtrain.Options) headtrain.Result {
	t.Helper()
	job.Heads = []headtrain.Options{o}
	results, err := s.Trainer.Fit(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

// same reports whether two heads have the same bits.
func same(a, b *headtrain.Head) bool {
	equal := testkit.SameBits
	if (a.Hidden == nil) != (b.Hidden == nil) || !equal(a.W, b.W) || !equal(a.B, b.B) {
		return false
	}
	return a.Hidden == nil || equal(a.Hidden.W, b.Hidden.W) && equal(a.Hidden.B, b.Hidden.B)
}

// repeats trains the same head at several numbers of threads, all at once too.
func (s suite) repeats(t *testing.T) {
	job := headtrain.Job{Train: Clusters(500, 40, 5, 1), Val: Clusters(90, 40, 5, 2)}
	for i, o := range s.variety(t, 3) {
		want := s.fit(t, job, o)
		var wg sync.WaitGroup
		for _, threads := range []int{1, 2, 8} {
			again := o
			again.Threads = threads
			wg.Go(func() {
				got := s.fit(t, job, again)
				if !same(got.Head, want.Head) || got.TrainLoss != want.TrainLoss || *got.History[2].ValLoss != *want.History[2].ValLoss {
					t.Errorf("options %d: another head at %d threads", i, threads)
				}
			})
		}
		wg.Wait()
		o.Seed++
		if same(s.fit(t, job, o).Head, want.Head) {
			t.Errorf("options %d: two seeds give one head", i)
		}
	}
}

func (s suite) alone(t *testing.T) {
	job := headtrain.Job{Train: Clusters(300, 20, 4, 1), Val: Clusters(80, 20, 4, 2), Heads: s.variety(t, 4)}
	epochs := map[int]int{}
	job.OnEpoch = func(head int, e headtrain.Epoch) { epochs[head]++ }
	together, err := s.Trainer.Fit(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range job.Heads {
		one := s.fit(t, headtrain.Job{Train: job.Train, Val: job.Val}, o)
		if !same(one.Head, together[i].Head) || !bytes.Equal(one.Head.Recipe, together[i].Head.Recipe) {
			t.Errorf("head %d differs from the same head alone", i)
		}
		if epochs[i] != len(together[i].History) || epochs[i] == 0 {
			t.Errorf("head %d: %d callbacks for %d epochs", i, epochs[i], len(together[i].History))
		}
	}
}

func (s suite) unlabelled(t *testing.T) {
	d := Clusters(120, 8, 3, 1)
	with := &headtrain.Dataset{Dim: d.Dim, Classes: d.Classes}
	for r, y := range d.Labels {
		if r%5 == 0 {
			with.X = append(with.X, 1e6, 2, 3, 4, 5, 6, 7, 8)
			with.Labels = append(with.Labels, -1)
		}
		with.X = append(with.X, d.Row(r)...)
		with.Labels = append(with.Labels, y)
	}
	a := s.fit(t, headtrain.Job{Train: d, Val: d}, s.base)
	b := s.fit(t, headtrain.Job{Train: with, Val: with}, s.base)
	if !same(a.Head, b.Head) || a.TrainLoss != b.TrainLoss || *a.History[9].ValAcc != *b.History[9].ValAcc {
		t.Error("unlabelled rows changed the head or its numbers")
	}
}

// weightless changes the features of a class that weighs nothing.
func (s suite) weightless(t *testing.T) {
	d := Clusters(90, 8, 3, 1)
	o := s.with(headtrain.Options{Input: headtrain.InputNone, BatchSize: 20, ClassWeights: headtrain.ClassWeights{Map: map[string]float64{"class 1": 0}}})
	want := s.fit(t, headtrain.Job{Train: d}, o)
	changed := &headtrain.Dataset{X: slices.Clone(d.X), Dim: d.Dim, Labels: d.Labels, Classes: d.Classes}
	for r, y := range d.Labels {
		if y == 1 {
			changed.X[r*d.Dim] += 3
		}
	}
	if !same(s.fit(t, headtrain.Job{Train: changed}, o).Head, want.Head) {
		t.Error("rows of weight 0 changed the head")
	}
	o.ClassWeights = headtrain.ClassWeights{}
	if same(s.fit(t, headtrain.Job{Train: changed}, o).Head, s.fit(t, headtrain.Job{Train: d}, o).Head) {
		t.Error("rows of weight 1 changed nothing either")
	}
}

func (s suite) shapes(t *testing.T) {
	for _, shape := range []struct{ n, d, k int }{
		{1, 1, 1}, {5, 3, 1}, {2, 4, 2}, {50, 1, 2}, {64, 15, 2}, {100, 16, 10}, {10, 17, 10}, {300, 33, 100}, {1000, 12, 1000}, {40, 8, 17}, {33, 8, 3},
	} {
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			train := Clusters(shape.n, shape.d, shape.k, 1)
			r := s.fit(t, headtrain.Job{Train: train}, s.with(headtrain.Options{Epochs: 8, LR: 0.03, BatchSize: 32}))
			first, last := r.History[0].TrainLoss, r.TrainLoss
			if shape.k > 1 && last >= first {
				t.Errorf("loss went from %v to %v", first, last)
			}
			if shape.k == 1 && last != 0 {
				t.Errorf("loss with one class is %v", last)
			}
			if got := report(t, r.Head, train); !(math.Abs(got.Loss-r.TrainLoss) <= 1e-4) {
				t.Errorf("the saved head has loss %v, the trainer reports %v", got.Loss, r.TrainLoss)
			}
		})
	}
}

// report evaluates a head on raw features.
func report(t *testing.T, h *headtrain.Head, d *headtrain.Dataset) judge.Report {
	t.Helper()
	a, err := judge.NewAnswers(t.Context(), headtrain.NewLogits(h, d), d.Labels, 1)
	if err != nil {
		t.Fatal(err)
	}
	return a.Report(d.Classes)
}

func (s suite) learns(t *testing.T) {
	train, test := Clusters(1000, 64, 10, 1), Clusters(500, 64, 10, 2)
	for i, o := range s.variety(t, 40) {
		r := s.fit(t, headtrain.Job{Train: train, Val: test}, o)
		kept, has := r.History[r.BestEpoch-1], report(t, r.Head, test)
		for name, want := range map[string]float64{headtrain.MetricValAcc: has.Top1, headtrain.MetricValMacroF1: has.MacroF1, headtrain.MetricValBalancedAcc: has.BalancedAccuracy} {
			if got, _ := kept.Metric(name); *got < 0.9 || !(math.Abs(*got-want) <= 1e-9) {
				t.Errorf("options %d report a %s of %v, the head has %v", i, name, *got, want)
			}
		}
	}
}

func (s suite) stops(t *testing.T) {
	job := headtrain.Job{Train: Clusters(60, 40, 5, 1), Val: Clusters(200, 40, 5, 2)}
	for _, metric := range headtrain.Choices()["EarlyStopping.Metric"] {
		o := s.with(headtrain.Options{Epochs: 200, LR: 0.05, EarlyStopping: headtrain.EarlyStopping{Patience: 5, Metric: metric}})
		r := s.fit(t, job, o)
		if r.Stopped != headtrain.StoppedEarly || len(r.History) != r.BestEpoch+5 {
			t.Fatalf("%s: stopped by %s after %d epochs, best %d", metric, r.Stopped, len(r.History), r.BestEpoch)
		}
		best := r.History[r.BestEpoch-1]
		for _, e := range r.History {
			now, more := e.Metric(metric)
			if most, _ := best.Metric(metric); more && *now > *most || !more && *now < *most {
				t.Errorf("%s: epoch %d is better than the best, %d", metric, e.Epoch, best.Epoch)
			}
		}
		o.Epochs, o.EarlyStopping = r.BestEpoch, headtrain.EarlyStopping{}
		if !same(r.Head, s.fit(t, job, o).Head) {
			t.Errorf("%s: the head kept is not that of epoch %d", metric, r.BestEpoch)
		}
	}
}

func (s suite) cancels(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	job := headtrain.Job{Train: Clusters(100, 5, 2, 1), Heads: []headtrain.Options{s.with(headtrain.Options{Epochs: 2}), s.with(headtrain.Options{Epochs: 100_000})}}
	job.OnEpoch = func(head int, e headtrain.Epoch) {
		if head == 1 && e.Epoch == 3 {
			cancel()
		}
	}
	results, err := s.Trainer.Fit(ctx, job)
	if !errors.Is(err, context.Canceled) || len(results) != 1 || results[0].Head == nil {
		t.Errorf("%d results, error %v", len(results), err)
	}
}

func (s suite) diverges(t *testing.T) {
	job := headtrain.Job{Train: Clusters(200, 10, 3, 1), Heads: []headtrain.Options{
		s.with(headtrain.Options{Epochs: 2}),
		s.with(headtrain.Options{Epochs: 50, Optimizer: headtrain.OptimizerSGD, LR: 1e38, Input: headtrain.InputNone, BatchSize: 20}),
		s.with(headtrain.Options{Epochs: 2, Seed: 3}),
	}}
	results, err := s.Trainer.Fit(context.Background(), job)
	if !errors.Is(err, headtrain.ErrDiverged) || err.Error() != "head 1: training diverged: the loss is not finite in epoch 1, at a learning rate of 1e+38" {
		t.Errorf("error %v", err)
	}
	if len(results) != 3 || results[0].Head == nil || results[1].Head != nil || results[2].Head == nil {
		t.Errorf("results %v", results)
	}
	// With one batch the loss of the epoch is that before the step, and finite.
	job.Heads = []headtrain.Options{s.with(headtrain.Options{Epochs: 1, Optimizer: headtrain.OptimizerSGD, LR: 3e38, WeightDecay: 1e30})}
	if _, err := s.Trainer.Fit(context.Background(), job); !errors.Is(err, headtrain.ErrDiverged) || !strings.Contains(err.Error(), "a weight is not finite in epoch 1, ") {
		t.Errorf("error %v", err)
	}
}

func (s suite) refuses(t *testing.T) {
	train := Clusters(10, 4, 2, 1)
	for what, job := range map[string]headtrain.Job{
		"no heads":        {Train: train},
		"no training set": {Heads: []headtrain.Options{s.base}},
		"LR (-1) must be": {Train: train, Heads: []headtrain.Options{s.with(headtrain.Options{LR: -1})}},
		"EarlyStopping.Patience (1) needs a validation set": {Train: train, Heads: []headtrain.Options{s.with(headtrain.Options{EarlyStopping: headtrain.EarlyStopping{Patience: 1}})}},
		"validation and training set have differ":           {Train: train, Val: Clusters(9, 4, 3, 1), Heads: []headtrain.Options{s.base}},
	} {
		if _, err := s.Trainer.Fit(context.Background(), job); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error lacks %q: %v", what, err)
		}
	}
}

func (s suite) saves(t *testing.T) {
	train, test := Clusters(200, 12, 4, 1), Clusters(130, 12, 4, 2)
	for i, o := range s.variety(t, 2) {
		h := s.fit(t, headtrain.Job{Train: train, Val: test}, o).Head
		h.Fingerprint = "f"
		path := filepath.Join(t.TempDir(), "head")
		if err := h.Save(path); err != nil {
			t.Fatal(err)
		}
		first, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := headtrain.LoadHead(path)
		if err != nil {
			t.Fatal(err)
		}
		if !same(h, got) || got.Dim != 12 || !strings.Contains(string(got.Recipe), `"kind":"`+s.base.Kind+`"`) {
			t.Errorf("options %d: loaded as %d features, recipe %s", i, got.Dim, got.Recipe)
		}
		if err := got.Save(path); err != nil {
			t.Fatal(err)
		}
		if second, err := os.ReadFile(path); err != nil || !bytes.Equal(first, second) {
			t.Errorf("options %d: saved again it is another file, error %v", i, err)
		}
		if !reflect.DeepEqual(report(t, h, test), report(t, got, test)) {
			t.Errorf("options %d: the loaded head judges otherwise", i)
		}
		if p := got.Predict(test.Row(0), 2); len(p) != 2 || !(p[0].Probability >= p[1].Probability) {
			t.Errorf("options %d: predictions %v", i, p)
		}
	}
}
