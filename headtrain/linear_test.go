package headtrain

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
)

func fitOne(t testing.TB, job Job, o Options) Result {
	t.Helper()
	job.Heads = []Options{o}
	results, err := New().Fit(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

func sameHead(a, b *Head) bool { return testkit.SameBits(a.W, b.W) && testkit.SameBits(a.B, b.B) }

// variety is options that reach every optimizer of small steps, and every schedule,
// input and loss.
var variety = []Options{
	{},
	{Optimizer: OptimizerAdamW, WeightDecay: 0.01, Schedule: ScheduleCosine, Warmup: 1, Input: InputL2, LR: 0.03},
	{Optimizer: OptimizerSGD, Momentum: 0.9, Nesterov: true, LR: 0.05, Schedule: ScheduleOneCycle, LabelSmoothing: 0.1},
	{Optimizer: OptimizerSGD, LR: 0.1, Schedule: ScheduleStep, ClassWeights: ClassWeights{Mode: WeightsBalanced}},
	{Input: InputNone, WeightDecay: 1e-3, EarlyStopping: EarlyStopping{Patience: 2}, BatchSize: 64, Seed: 9},
}

func brief(o Options) Options {
	o.Epochs = 4
	return o
}

func TestHeadIsTheSameAtAnyNumberOfThreads(t *testing.T) {
	for _, shape := range [][3]int{{700, 37, 3}, {600, 70, 20}} {
		job := Job{Train: clusters(shape[0], shape[1], shape[2], 1), Val: clusters(90, shape[1], shape[2], 2)}
		for i, o := range variety {
			o = brief(o)
			o.BatchSize = 512
			o.Threads = 1
			want := fitOne(t, job, o)
			for _, n := range []int{2, 8} {
				o.Threads = n
				got := fitOne(t, job, o)
				if !sameHead(got.Head, want.Head) || got.TrainLoss != want.TrainLoss || *got.History[0].ValLoss != *want.History[0].ValLoss {
					t.Errorf("%v, options %d: %d threads give another head than 1", shape, i, n)
				}
			}
		}
	}
}

// newTestStack puts the heads of a job, which must share batches, in one stack.
func newTestStack(t testing.TB, isa kernel.ISA, job Job) *stack {
	t.Helper()
	options := make([]Options, len(job.Heads))
	indices := make([]int, len(job.Heads))
	for i, o := range job.Heads {
		options[i], indices[i] = o.WithDefaults(), i
	}
	s := newStack(isa, job.view(job.part(0), options[0].Input, newTestTeam(t)), options, indices)
	t.Cleanup(s.team.Close)
	return s
}

// The threads test above must not pass by never waking a second worker.
func TestSharedBatchesReachSeveralWorkers(t *testing.T) {
	s := newTestStack(t, kernel.Best(), Job{Train: clusters(600, 70, 20, 1), Heads: []Options{{BatchSize: 512, Threads: 8}}})
	s.panel.rows = 512
	if s.useful(0) < 3 {
		t.Errorf("a batch of the threads test is worth %d workers", s.useful(0))
	}
}

func TestHeadIsTheSameOnEveryInstructionSet(t *testing.T) {
	job := Job{Train: clusters(300, 37, 19, 1), Val: clusters(60, 37, 19, 2)}
	for i, o := range variety {
		job.Heads = []Options{brief(o)}
		var want Result
		for _, isa := range kernel.Available() {
			got, err := linear{isa}.Fit(context.Background(), job)
			if err != nil {
				t.Fatal(err)
			}
			if isa == kernel.Portable {
				want = got[0]
			}
			if !sameHead(got[0].Head, want.Head) || got[0].TrainLoss != want.TrainLoss || got[0].BestEpoch != want.BestEpoch {
				t.Errorf("options %d: %v gives another head than portable code", i, isa)
			}
		}
	}
}

// The order of summation is a promise to every head trained so far: this value
// changes only with a new engine name in the recipe.
func TestHeadOfToday(t *testing.T) {
	h := sha256.New()
	for _, o := range variety {
		job := Job{Train: clusters(300, 21, 18, 1), Val: clusters(60, 21, 18, 2)}
		// exact data: quarters, so that math's functions have no say in it
		for _, d := range []*Dataset{job.Train, job.Val} {
			for i, v := range d.X {
				d.X[i] = float32(math.Round(float64(v)*4)) / 4
			}
		}
		head := fitOne(t, job, brief(o)).Head
		for _, v := range append(head.W, head.B...) {
			_ = binary.Write(h, binary.LittleEndian, v)
		}
	}
	const want = "b260c9733becf7ca1c02183660d6551d3bd1d9b541cc068684ba9ebc018fe8cc"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the heads hash to %s, want %s", got, want)
	}
}

func TestMinDeltaIgnoresSmallGains(t *testing.T) {
	w := newWatch(EarlyStopping{Patience: 2, MinDelta: 0.1, Metric: MetricValAcc})
	var kept []int
	for i, acc := range []float64{0.5, 0.55, 0.61, 0.65, 0.7, 0.7} {
		if w.see(Epoch{Epoch: i + 1, ValAcc: &acc}) {
			kept = append(kept, i+1)
		}
	}
	if fmt.Sprint(kept) != "[1 3]" || !w.exhausted(5) || w.exhausted(4) {
		t.Errorf("epochs %v counted as better", kept)
	}
}

func TestAnEqualMetricIsNoImprovement(t *testing.T) {
	loss := 0.5
	for _, o := range []EarlyStopping{{Patience: 1}, {Patience: 1, Metric: MetricValAcc}} {
		w := newWatch(o)
		if !w.see(Epoch{Epoch: 1, ValLoss: &loss, ValAcc: &loss}) || w.see(Epoch{Epoch: 2, ValLoss: &loss, ValAcc: &loss}) {
			t.Errorf("%q: the first of two equal epochs is not the best", o.Metric)
		}
	}
}

// n/(k·count), scikit-learn's compute_class_weight("balanced").
func TestBalancedWeightsAreScikitLearns(t *testing.T) {
	d := &Dataset{X: make([]float32, 7), Dim: 1, Labels: []int32{0, 2, 2, -1, 2, 1, 1}, Classes: testkit.Names(4)}
	got := classWeights(ClassWeights{Mode: WeightsBalanced}, setOf(d, InputNone, nil))
	if want := []float64{6. / 4, 6. / 8, 6. / 12, 0}; !slices.Equal(got, want) {
		t.Errorf("weights %v, want %v", got, want)
	}
}

func TestEpochDoesNotAllocate(t *testing.T) {
	job := Job{Train: clusters(600, 64, 10, 1), Val: clusters(100, 64, 10, 2)}
	for _, o := range variety {
		o.Epochs, o.Threads, o.BatchSize = 1000, 2, 512
		job.Heads = []Options{o, o}
		job.Heads[1].EMA = 0.9
		if o.Seed == 9 {
			job.Heads[0].Mixup, job.Heads[1].Mixup = 0.4, 0.4
		}
		s := newTestStack(t, kernel.Best(), job)
		epoch := 0
		allocs := testing.AllocsPerRun(20, func() {
			epoch++
			if err := s.epoch(context.Background(), epoch); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations an epoch", allocs)
		}
	}
}

func TestJobFaultsAreReportedTogether(t *testing.T) {
	train := clusters(10, 4, 2, 1)
	val := clusters(10, 5, 2, 1)
	val.X[7] = float32(math.NaN())
	_, err := New().Fit(context.Background(), Job{Train: train, Val: val, Heads: []Options{{LR: -1}, {Epochs: -3}}})
	for _, want := range []string{"head 0: ", "LR (-1) must be", "head 1: ", "Epochs (-3) must be", "dimension 5, the training set 4", "validation set: ", "row 1, feature 2 is NaN"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	if !errors.Is(err, ErrOptions) || !errors.Is(err, ErrDataset) {
		t.Errorf("error classes are lost: %v", err)
	}
	for what, job := range map[string]Job{
		"no heads":        {Train: train},
		"no training set": {Heads: []Options{{}}},
		"EarlyStopping.Patience (1) needs a validation set": {Train: train, Heads: []Options{{EarlyStopping: EarlyStopping{Patience: 1}}}},
		"no labelled row": {Train: &Dataset{X: []float32{1}, Dim: 1, Labels: []int32{-1}, Classes: []string{"a"}}, Heads: []Options{{}}},
		`ClassWeights.Map names "c", which is no class`:         {Train: train, Heads: []Options{{ClassWeights: ClassWeights{Map: map[string]float64{"c": 1}}}}},
		"ClassWeights must give a class that has training rows": {Train: train, Heads: []Options{{ClassWeights: ClassWeights{Map: map[string]float64{"class 0": 0, "class 1": 0}}}}},
		"validation and training set have differ":               {Train: train, Val: clusters(9, 4, 3, 1), Heads: []Options{{}}},
	} {
		if _, err := New().Fit(context.Background(), job); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error lacks %q: %v", what, err)
		}
	}
}

func TestDatasetFaultsAreReportedTogether(t *testing.T) {
	d := &Dataset{X: []float32{1, 2, float32(math.Inf(1)), 4, 5}, Dim: 2, Labels: []int32{0, 2, -2}, Classes: []string{"a", "a\xff", "a"}}
	err := d.Validate()
	for _, want := range []string{"5 feature values do not make 3 rows of 2", "row 2 has label -2", "row 1, feature 0 is +Inf", `class "a" is there twice`, "not valid UTF-8"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}

// Weighing a class k times is having each of its rows k times, where batches
// hold every row.
func TestClassWeightEqualsRepeatedRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.IntRange(1, 4).Draw(rt, "times")
		d := clusters(rapid.IntRange(6, 40).Draw(rt, "rows"), 6, 3, rapid.Uint64().Draw(rt, "data"))
		repeated := &Dataset{Dim: d.Dim, Classes: d.Classes}
		for r, y := range d.Labels {
			for range map[bool]int{true: times, false: 1}[y == 1] {
				repeated.X = append(repeated.X, d.Row(r)...)
				repeated.Labels = append(repeated.Labels, y)
			}
		}
		o := Options{Input: InputNone, Optimizer: OptimizerSGD, LR: 0.05, BatchSize: 1000, Epochs: 5}
		b := fitOne(t, Job{Train: repeated}, o)
		o.ClassWeights.Map = map[string]float64{"class 1": float64(times)}
		a := fitOne(t, Job{Train: d}, o)
		if w := testkit.Worst(a.Head.W, b.Head.W); w > 1e-5 {
			rt.Errorf("weights differ by %v", w)
		}
	})
}
