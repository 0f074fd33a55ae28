package graph

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
	"icebox/headtrain/internal/trainertest"
)

func TestLinearHeads(t *testing.T) { trainertest.Run(t, Engine(), headtrain.KindLinear) }

func TestMLPHeads(t *testing.T) { trainertest.Run(t, Engine(), headtrain.KindMLP) }

// Ten epochs on the same batches, the last of an epoch a smaller one, give the
// losses and the weights of the fused engine, but for rounding: the two sum in
// other orders.
func TestTenEpochsAgreeWithTheFusedEngine(t *testing.T) {
	const (
		ofLoss    = 1e-5 // relative
		ofWeights = 5e-6 // of the largest weight
	)
	for _, shape := range [][3]int{{1100, 512, 10}, {333, 37, 3}, {500, 20, 19}} {
		job := headtrain.Job{Train: trainertest.Clusters(shape[0], shape[1], shape[2], 1), Val: trainertest.Clusters(150, shape[1], shape[2], 2)}
		for i, o := range trainertest.Variety() {
			if check(o) != nil {
				continue
			}
			job.Heads = []headtrain.Options{o}
			fused, err := headtrain.New().Fit(context.Background(), job)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Engine().Trainer.Fit(context.Background(), job)
			if err != nil {
				t.Fatal(err)
			}
			a, b := fused[0], got[0]
			if len(a.History) != len(b.History) || a.BestEpoch != b.BestEpoch {
				t.Fatalf("%v, options %d: %d epochs, best %d; fused %d, best %d", shape, i, len(b.History), b.BestEpoch, len(a.History), a.BestEpoch)
			}
			for e := range a.History {
				x, y := a.History[e], b.History[e]
				if !(off(x.TrainLoss, y.TrainLoss) <= ofLoss) || !(off(*x.ValLoss, *y.ValLoss) <= ofLoss) || x.LR != y.LR || !(math.Abs(x.TrainAcc-y.TrainAcc) <= 0.002) {
					t.Errorf("%v, options %d: epoch %d is %+v, validation %v; fused %+v, %v", shape, i, e+1, y, *y.ValLoss, x, *x.ValLoss)
				}
			}
			if !(off(a.TrainLoss, b.TrainLoss) <= ofLoss) {
				t.Errorf("%v, options %d: train loss %v, fused %v", shape, i, b.TrainLoss, a.TrainLoss)
			}
			large := float64(max(slices.Max(a.Head.W), -slices.Min(a.Head.W)))
			if w := testkit.Worst(a.Head.W, b.Head.W) / large; w > ofWeights {
				t.Errorf("%v, options %d: weights are off by %.2g of the largest", shape, i, w)
			}
		}
	}
}

func off(a, b float64) float64 { return math.Abs(a-b) / max(math.Abs(a), 1e-3) }

// Gradients of every parameter, with dropout, smoothing, class weights and a
// padded batch, are those of the definition in float64 by finite differences.
func TestGradientsEqualFiniteDifferences(t *testing.T) {
	const tolerance, h = 3e-6, 1e-5
	d := trainertest.Clusters(40, 7, 4, 5)
	o := headtrain.Options{Input: headtrain.InputNone, LabelSmoothing: 0.15, ClassWeights: headtrain.ClassWeights{Map: map[string]float64{"class 1": 2.5, "class 2": 0.25}}}
	for _, kind := range []string{headtrain.KindLinear, headtrain.KindMLP} {
		o.Kind = kind
		if kind == headtrain.KindMLP {
			o.Hidden, o.Dropout = 6, 0.3
		}
		withLearner(t, d, o, func(*headtrain.Plan) {}, func(l *learner) {
			rows := []int32{3, 1, 38, 17, 8, 22, 5}
			l.net.load(l.plan, rows)
			loss, err := l.run()
			if err != nil {
				t.Fatal(err)
			}
			layers, err := l.Layers()
			if err != nil {
				t.Fatal(err)
			}
			at := definition{l, rows, params(layers)}
			if !(math.Abs(float64(loss)-at.loss()) <= 1e-6) {
				t.Errorf("%s: loss %v, by definition %v", kind, loss, at.loss())
			}
			for n, node := range l.net.params {
				grad, err := node.Grad()
				if err != nil {
					t.Fatal(err)
				}
				for i, got := range grad.Data().([]float32) {
					p := &at.params[n][i]
					v := *p
					*p = v + h
					up := at.loss()
					*p = v - h
					down := at.loss()
					*p = v
					if want := (up - down) / (2 * h); !(math.Abs(float64(got)-want) <= tolerance) {
						t.Errorf("%s: gradient of value %d of %s is %v, by finite differences %v", kind, i, node.Name(), got, want)
					}
				}
			}
		})
	}
}

// definition is the objective of a loaded batch, straight from its definition.
type definition struct {
	*learner
	rows   []int32
	params [][]float64 // as the graph has them: weight in × out, bias
}

func params(layers []headtrain.Layer) [][]float64 {
	var all [][]float64
	for _, l := range layers {
		w, b := make([]float64, len(l.W)), make([]float64, len(l.B))
		for c := range l.Out {
			b[c] = float64(l.B[c])
			for j := range l.In {
				w[j*l.Out+c] = float64(l.W[c*l.In+j])
			}
		}
		all = append(all, w, b)
	}
	return all
}

func (d definition) loss() float64 {
	loss := 0.0
	for i := range d.rows {
		x := make([]float64, d.plan.Dim)
		for j := range x {
			x[j] = float64(d.net.x[i*len(x)+j])
		}
		for n := 0; n < len(d.params); n += 2 {
			if n > 0 {
				for u := range x {
					x[u] = max(x[u], 0) * float64(d.net.keep[i*len(x)+u])
				}
			}
			out := slices.Clone(d.params[n+1])
			for j, v := range x {
				for c := range out {
					out[c] += v * d.params[n][j*len(out)+c]
				}
			}
			x = out
		}
		sum := 0.0
		for _, z := range x {
			sum += math.Exp(z)
		}
		for c, z := range x {
			loss += float64(d.net.target[i*len(x)+c]) * (math.Log(sum) - z)
		}
	}
	return loss
}

// Logits far apart neither overflow nor vanish (gorgonia's LogSoftMax gives NaN).
func TestLargeLogitsHaveAFiniteLoss(t *testing.T) {
	d := &headtrain.Dataset{X: []float32{-1, 1, 1, -1}, Dim: 1, Labels: []int32{0, 0, 1, 1}, Classes: []string{"a", "b"}}
	scale := func(p *headtrain.Plan) {
		copy(p.Layers[0].W, []float32{500, -500})
		clear(p.Layers[0].B)
	}
	withLearner(t, d, headtrain.Options{Input: headtrain.InputNone}, scale, func(l *learner) {
		j, err := l.Step([]int32{0, 1, 2, 3}, 1e-3)
		if err != nil || j.Loss != 500 || j.Hits != 2 || j.Weight != 4 {
			t.Errorf("%+v, error %v", j, err)
		}
	})
}

// 4,000 steps leave nothing behind that was not there after the first tenth.
func TestThousandEpochsLeakNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var early, late uint64
	job := headtrain.Job{Train: trainertest.Clusters(60, 16, 3, 1), Heads: []headtrain.Options{{Epochs: 1000, BatchSize: 16, Kind: headtrain.KindMLP, Hidden: 16, Dropout: 0.5}}}
	job.OnEpoch = func(_ int, e headtrain.Epoch) {
		switch e.Epoch {
		case 100:
			early = heap()
		case 1000:
			late = heap()
		}
	}
	if _, err := Engine().Trainer.Fit(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	const history = 200 << 10 // what 900 epochs of numbers may take
	if late > early+history {
		t.Errorf("the heap grew from %d to %d bytes", early, late)
	}
}

func TestUnknownOptionsAreNamed(t *testing.T) {
	o := headtrain.Options{Optimizer: headtrain.OptimizerSGD, Momentum: 0.9, Nesterov: true, WeightDecay: 1e-3, Schedule: headtrain.ScheduleCosine, Warmup: 2, EMA: 0.9, Mixup: 0.2}
	job := headtrain.Job{Train: trainertest.Clusters(20, 3, 2, 1), Heads: []headtrain.Options{o}}
	_, err := Engine().Trainer.Fit(context.Background(), job)
	want := `Nesterov cannot be used by the engine gorgonia
WeightDecay (0.001) cannot be used with momentum by the engine gorgonia
Schedule (cosine) cannot be used with momentum by the engine gorgonia
Warmup (2) cannot be used with momentum by the engine gorgonia
EMA (0.9) cannot be used by the engine gorgonia
Mixup (0.2) cannot be used by the engine gorgonia`
	if !errors.Is(err, headtrain.ErrOptions) || !errors.Is(err, headtrain.ErrEngine) || err.Error() != want {
		t.Errorf("error %v", err)
	}
	if err := Engine().Check(headtrain.Options{Optimizer: headtrain.OptimizerLBFGS}); !errors.Is(err, headtrain.ErrEngine) {
		t.Errorf("an optimizer that gorgonia has not: error %v", err)
	}
}

// gorgonia panics on shapes that do not fit; a caller must never see that.
func TestPanicsBecomeErrors(t *testing.T) {
	job := headtrain.Job{Train: trainertest.Clusters(20, 3, 2, 1), Heads: []headtrain.Options{{}}}
	_, err := headtrain.FitEach(context.Background(), job, Name, func(p *headtrain.Plan) (headtrain.Learner, error) {
		p.Layers = append(p.Layers, p.Layers[0]) // 2 outputs into 3 inputs
		return newLearner(p)
	})
	if err == nil || !strings.HasPrefix(err.Error(), "gorgonia: ") {
		t.Errorf("error %v", err)
	}
	withLearner(t, job.Train, headtrain.Options{}, func(*headtrain.Plan) {}, func(l *learner) {
		if _, err := l.Step([]int32{0, 99}, 1e-3); err == nil || !strings.HasPrefix(err.Error(), "gorgonia: ") {
			t.Errorf("error %v", err)
		}
	})
}
