package headtrain

import (
	"math"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
)

type torchFixture struct {
	Dim, Classes int
	X            []float32
	Labels       []int32
	W0, B0       []float32
	Batches      [][]int32
	Cases        []struct {
		Name    string
		LR      float64
		Options Options
		Loss    struct {
			Weight         []float64
			LabelSmoothing float64 `json:"label_smoothing"`
		}
		Losses []float64
		Norms  [][2]float64 // of weights and biases after each step
		W, B   []float32
	}
}

func (x torchFixture) dataset() *Dataset {
	return &Dataset{X: x.X, Dim: x.Dim, Labels: x.Labels, Classes: testkit.Names(x.Classes)}
}

// start returns a stack of one head whose weights are those of the fixture.
func (x torchFixture) start(t *testing.T, isa kernel.ISA, o Options) *stack {
	t.Helper()
	o.Input = InputNone
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	s := newTestStack(t, isa, Job{Train: x.dataset(), Heads: []Options{o}})
	for c := range x.Classes {
		copy(s.params[c*s.stride:], x.W0[c*x.Dim:(c+1)*x.Dim])
		s.params[c*s.stride+x.Dim] = x.B0[c]
	}
	return s
}

func norm(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

func TestTenStepsEqualPyTorch(t *testing.T) {
	const tolerance = 1e-5
	var fixture torchFixture
	testkit.Read(t, "torch.json", &fixture)
	for _, c := range fixture.Cases {
		for _, isa := range kernel.Available() {
			t.Run(c.Name+"/"+isa.String(), func(t *testing.T) {
				o := c.Options
				o.LR, o.LabelSmoothing = c.LR, c.Loss.LabelSmoothing
				if c.Loss.Weight != nil {
					o.ClassWeights.Map = map[string]float64{}
					for i, w := range c.Loss.Weight {
						o.ClassWeights.Map[testkit.Names(fixture.Classes)[i]] = w
					}
				}
				s := fixture.start(t, isa, o)
				f := s.heads[0]
				for step, rows := range fixture.Batches {
					s.resetSums()
					s.trainBatch(rows, nil)
					if got := f.sum.loss / f.weight; !(math.Abs(got-c.Losses[step]) <= tolerance) {
						t.Errorf("loss of step %d is %v, PyTorch's %v", step+1, got, c.Losses[step])
					}
					h, err := f.head(s, 1)
					if err != nil {
						t.Fatal(err)
					}
					for i, v := range [][]float32{h.W, h.B} {
						if got, want := norm(v), c.Norms[step][i]; !(math.Abs(got-want) <= tolerance*want) {
							t.Errorf("after step %d the norm of layer tensor %d is %v, PyTorch's %v", step+1, i, got, want)
						}
					}
				}
				h, err := f.head(s, 1)
				if err != nil {
					t.Fatal(err)
				}
				if w, b := testkit.Worst(h.W, c.W), testkit.Worst(h.B, c.B); w > tolerance || b > tolerance {
					t.Errorf("after %d steps weights are off by %.2g, biases by %.2g", len(fixture.Batches), w, b)
				}
			})
		}
	}
}

func TestSchedulesEqualPyTorch(t *testing.T) {
	var fixture struct {
		StepsPerEpoch int `json:"steps_per_epoch"`
		Cases         []struct {
			Name    string
			Options Options
			Rates   []float64
		}
	}
	testkit.Read(t, "schedule.json", &fixture)
	for _, c := range fixture.Cases {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Options.Validate(); err != nil {
				t.Fatal(err)
			}
			s := newSchedule(c.Options.WithDefaults(), fixture.StepsPerEpoch)
			for step, want := range c.Rates {
				if got := s.rate(step); !(math.Abs(got-want) <= 1e-12) {
					t.Errorf("rate of step %d is %v, PyTorch's %v", step, got, want)
				}
			}
		})
	}
}

func TestShortOneCycleStaysWithinItsRange(t *testing.T) {
	for steps := 1; steps < 8; steps++ {
		s := schedule{kind: ScheduleOneCycle, lr: 1, steps: steps}
		for i := range steps {
			if r := s.rate(i); !(r >= oneCycleEnd-1e-12 && r <= 1) {
				t.Errorf("%d steps: rate of step %d is %v", steps, i, r)
			}
		}
	}
}

func TestCosineAgreesWithMath(t *testing.T) {
	for i := range 1001 {
		x := float64(i) / 1000
		if got, want := cosPi(x), math.Cos(math.Pi*x); !(math.Abs(got-want) <= 4e-16) {
			t.Fatalf("cosPi(%v) = %v, want %v", x, got, want)
		}
	}
}
