package graph

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

type weights struct{ W, B []float32 }

// fixture is ten steps of PyTorch, as make_fixtures.py here and in headtrain
// writes them.
type fixture struct {
	Dim, Hidden, Classes int
	X                    []float32
	Labels               []int32
	W0, B0               []float32 // of a linear head
	Layers               []weights // of an mlp
	Masks                [][]float32
	Batches              [][]int32
	Cases                []struct {
		Name    string
		LR      float64
		Options headtrain.Options
		Loss    struct {
			Weight         []float64
			LabelSmoothing float64 `json:"label_smoothing"`
		}
		Losses []float64
		W, B   []float32
		Layers []weights
	}
}

func readFixture(t *testing.T, path string) fixture {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if f.Layers == nil {
		f.Layers = []weights{{f.W0, f.B0}}
	}
	for i := range f.Cases {
		if c := &f.Cases[i]; c.Layers == nil {
			c.Layers = []weights{{c.W, c.B}}
		}
	}
	return f
}

func (f fixture) dataset() *headtrain.Dataset {
	d := &headtrain.Dataset{X: f.X, Dim: f.Dim, Labels: f.Labels}
	for c := range f.Classes {
		d.Classes = append(d.Classes, strconv.Itoa(c))
	}
	return d
}

var errDone = errors.New("done")

// withLearner calls test with a learner of a job of one head, before its first
// step; setup may change the plan.
func withLearner(t *testing.T, d *headtrain.Dataset, o headtrain.Options, setup func(*headtrain.Plan), test func(*learner)) {
	t.Helper()
	_, err := headtrain.FitEach(context.Background(), headtrain.Job{Train: d, Heads: []headtrain.Options{o}}, Name, func(p *headtrain.Plan) (headtrain.Learner, error) {
		setup(p)
		l, err := newLearner(p)
		if err != nil {
			return nil, err
		}
		test(l)
		return nil, errors.Join(errDone, l.Close())
	})
	if !errors.Is(err, errDone) {
		t.Fatal(err)
	}
}

func TestTenStepsEqualPyTorch(t *testing.T) {
	for _, path := range []string{"../testdata/torch.json", "testdata/mlp.json"} {
		f := readFixture(t, path)
		for i, c := range f.Cases {
			o := c.Options
			o.LR, o.Input, o.BatchSize, o.LabelSmoothing = c.LR, headtrain.InputNone, len(f.Batches[0]), c.Loss.LabelSmoothing
			for class, w := range c.Loss.Weight {
				if o.ClassWeights.Map == nil {
					o.ClassWeights.Map = map[string]float64{}
				}
				o.ClassWeights.Map[strconv.Itoa(class)] = w
			}
			if f.Hidden > 0 {
				o.Kind, o.Hidden = headtrain.KindMLP, f.Hidden
			}
			if check(o) != nil {
				if !o.Nesterov && (o.Momentum == 0 || o.WeightDecay == 0) {
					t.Errorf("%s is refused: %v", c.Name, check(o))
				}
				continue
			}
			t.Run(c.Name, func(t *testing.T) { f.compare(t, i, o) })
		}
	}
}

// compare takes the steps of a case and compares each loss and the weights.
func (f fixture) compare(t *testing.T, i int, o headtrain.Options) {
	const tolerance = 1e-5
	c := f.Cases[i]
	start := func(p *headtrain.Plan) {
		for i := range p.Layers {
			copy(p.Layers[i].W, f.Layers[i].W)
			copy(p.Layers[i].B, f.Layers[i].B)
		}
	}
	withLearner(t, f.dataset(), o, start, func(l *learner) {
		for step, rows := range f.Batches {
			l.net.load(l.plan, rows)
			if o.Dropout > 0 {
				copy(l.net.keep, f.Masks[step])
			}
			loss, err := l.run()
			if err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(float64(loss)-c.Losses[step]) <= tolerance) {
				t.Errorf("loss of step %d is %v, PyTorch's %v", step+1, loss, c.Losses[step])
			}
			if err := l.solver.step(c.LR); err != nil {
				t.Fatal(err)
			}
		}
		layers, err := l.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range layers {
			if w, b := testkit.Worst(got.W, c.Layers[i].W), testkit.Worst(got.B, c.Layers[i].B); w > tolerance || b > tolerance {
				t.Errorf("after %d steps weights of layer %d are off by %.2g, biases by %.2g", len(f.Batches), i, w, b)
			}
		}
	})
}
