package tune

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

func clusters(n int) *headtrain.Dataset {
	return (*headtrain.Dataset)(testkit.Clusters(n, 24, 4, 5))
}

// folds deals rows to n parts in turn, by fours, since their classes come in turn.
func folds(d *headtrain.Dataset, n int) []headtrain.Part {
	parts := make([]headtrain.Part, n)
	for r := range int32(d.Rows()) {
		for f := range parts {
			if int(r)/4%n == f {
				parts[f].Val = append(parts[f].Val, r)
			} else {
				parts[f].Train = append(parts[f].Train, r)
			}
		}
	}
	return parts
}

func some(t *testing.T, o headtrain.Options, pinned ...string) Search {
	t.Helper()
	d := clusters(120)
	heads := Candidates(o, pinned, d.Rows())
	if len(heads) == 0 {
		t.Fatal("no candidates")
	}
	return Search{Trainer: headtrain.New(), Train: d, Parts: folds(d, 3), Heads: heads}
}

// valuesOf returns all logits, row by row.
func valuesOf(t *testing.T, l *headtrain.Logits) (all []float32) {
	t.Helper()
	read := l.Reader()
	for r := range l.Rows() {
		all = append(all, read(r)...)
	}
	return all
}

func TestTheChoiceHasTheLeastLossOnUnseenRows(t *testing.T) {
	for _, s := range []Search{some(t, headtrain.Options{}), some(t, headtrain.Options{Epochs: 5}, Epochs)} {
		done := 0
		s.Done = func() { done++ }
		out, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Points) < 3 || done != 3*len(out.Points) || len(out.Labels) != 120 || out.Logits.Rows() != 120 {
			t.Errorf("%d heads done, %d points, %d rows, %d logits", done, len(out.Points), len(out.Labels), out.Logits.Rows())
		}
		for i, p := range out.Points {
			if p.Loss < out.Points[out.Best].Loss || !reflect.DeepEqual(p.Options, s.Heads[i]) {
				t.Errorf("point %d has loss %v, the best %v", i, p.Loss, out.Points[out.Best].Loss)
			}
		}
		best := out.Points[out.Best]
		loss, err := leastLoss(t.Context(), out.Logits, out.Labels)
		if accuracy, accErr := accuracy(t.Context(), out.Logits, out.Labels); err != nil || accErr != nil || loss != best.Loss || accuracy != best.Accuracy {
			t.Errorf("the logits have loss %v, the point %v", loss, best.Loss)
		}
		if want := math.Sqrt(best.Accuracy * (1 - best.Accuracy) / 120); out.Error() != want {
			t.Errorf("standard error %v, want %v", out.Error(), want)
		}
	}
}

// A path ends where decays overfit, and what lies beyond changes nothing. A candidate alone
// is judged as it is among others.
func TestAPathEndsWhereDecaysOverfit(t *testing.T) {
	s := some(t, headtrain.Options{})
	s.Train = clusters(120)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range s.Train.Labels {
		if r.IntN(3) == 0 {
			s.Train.Labels[i] = int32(r.IntN(4)) // what only weight decay keeps from being learnt
		}
	}
	out, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := len(out.Points)
	if n == len(s.Heads) || out.Best >= n-2 {
		t.Fatalf("%d points, the best is %d: %+v", n, out.Best, out.Points)
	}
	for i := out.Best + 1; i < n; i++ { // of so few rows, two after one another
		if worse := out.Points[i].Loss > clearlyWorse*out.Points[out.Best].Loss; worse != (i >= n-2) {
			t.Errorf("%d points, the best is %d: %+v", n, out.Best, out.Points)
		}
	}
	s.Heads = s.Heads[out.Best : out.Best+1]
	alone, err := s.Run(t.Context())
	if err != nil || !testkit.SameBits(valuesOf(t, alone.Logits), valuesOf(t, out.Logits)) {
		t.Errorf("alone the head has other logits: %v", err)
	}
}

// A head that is not sure enough, or too sure, is no worse for it.
func TestTheLossDoesNotDependOnTheScaleOfLogits(t *testing.T) {
	s := some(t, headtrain.Options{})
	out, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	least := math.Inf(1)
	for f := 0.001; f < 1000; f *= 1.01 {
		loss, _, _, err := lossAt(t.Context(), f, out.Logits, out.Labels)
		if err != nil {
			t.Fatal(err)
		}
		least = min(least, loss)
	}
	for _, scale := range []float32{0.02, 0.3, 1, 5, 50} {
		scaled := slices.Clone(valuesOf(t, out.Logits))
		for i := range scaled {
			scaled[i] *= scale
		}
		if got, err := leastLoss(t.Context(), headtrain.GivenLogits(scaled, 4), out.Labels); err != nil || math.Abs(got-least) > 1e-3*least {
			t.Errorf("scale %v: loss %v, the least is %v", scale, got, least)
		}
	}
}

func TestSearchesAreTheSameAtAnyNumberOfThreads(t *testing.T) {
	for _, pinned := range [][]string{nil, {Epochs}} {
		var outcomes []*Outcome
		var values [][]float32
		for _, threads := range []int{1, 3} {
			s := some(t, headtrain.Options{Epochs: 4, Threads: threads}, pinned...)
			out, err := s.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range out.Points {
				out.Points[i].Options.Threads = 0
			}
			values = append(values, valuesOf(t, out.Logits))
			out.Logits = nil
			outcomes = append(outcomes, out)
		}
		if !reflect.DeepEqual(outcomes[0], outcomes[1]) || !testkit.SameBits(values[0], values[1]) {
			t.Errorf("pinned %v: 1 and 3 threads differ", pinned)
		}
	}
}

func TestValidationJudgesWhereThereAreNoFolds(t *testing.T) {
	s := some(t, headtrain.Options{})
	s.Parts, s.Val = []headtrain.Part{{}}, (*headtrain.Dataset)(testkit.Clusters(40, 24, 4, 6))
	out, err := s.Run(t.Context())
	if err != nil || len(out.Labels) != 40 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestHeadsThatDivergeAreNotChosen(t *testing.T) {
	s := some(t, headtrain.Options{Epochs: 3}, Epochs)
	s.Heads[0].LR, s.Heads[0].WeightDecay = 1e30, 1e8
	out, err := s.Run(t.Context())
	if err != nil || out.Best == 0 || !math.IsInf(out.Points[0].Loss, 1) {
		t.Errorf("%v, %v", out, err)
	}
	s.Heads = s.Heads[:1]
	if _, err := s.Run(t.Context()); !errors.Is(err, headtrain.ErrDiverged) {
		t.Error(err)
	}
}

func TestCandidatesKeepWhatIsPinned(t *testing.T) {
	named := headtrain.Options{LR: 0.02, WeightDecay: 0.5, Epochs: 7, Optimizer: headtrain.OptimizerSGD, Schedule: headtrain.ScheduleStep}
	for n := range 1 << len(Fields()) {
		var pinned []string
		for i, field := range Fields() {
			if n>>i&1 == 1 {
				pinned = append(pinned, field)
			}
		}
		heads := Candidates(named, pinned, 1000)
		if (len(heads) == 0) != (len(pinned) == len(Fields())) {
			t.Errorf("pinned %v: %d candidates", pinned, len(heads))
		}
		for _, h := range heads {
			for _, field := range pinned {
				got, want := reflect.ValueOf(h).FieldByName(field), reflect.ValueOf(named).FieldByName(field)
				if !got.Equal(want) {
					t.Errorf("pinned %v: %s is %v, not %v", pinned, field, got, want)
				}
			}
			if err := h.Validate(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestCandidatesFollowWhatIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		o         headtrain.Options
		pinned    []string
		optimizer string // "" for no candidates
		n         int
	}{
		{headtrain.Options{}, nil, headtrain.OptimizerLBFGS, 8},
		{headtrain.Options{Optimizer: headtrain.OptimizerLBFGS}, []string{Optimizer}, headtrain.OptimizerLBFGS, 8},
		{headtrain.Options{Optimizer: headtrain.OptimizerLBFGS}, []string{Optimizer, WeightDecay}, "", 0},
		{headtrain.Options{}, []string{LR}, headtrain.OptimizerAdam, 3},
		{headtrain.Options{}, []string{LR, WeightDecay}, headtrain.OptimizerAdam, 1},
		{headtrain.Options{Mixup: 0.2}, nil, headtrain.OptimizerAdam, 12},
		{headtrain.Options{EMA: 0.9}, nil, headtrain.OptimizerAdam, 12},
		{headtrain.Options{Warmup: 20}, nil, headtrain.OptimizerAdam, 12},
		{headtrain.Options{EarlyStopping: headtrain.EarlyStopping{Patience: 3}}, nil, headtrain.OptimizerAdam, 12},
		{headtrain.Options{Kind: headtrain.KindMLP}, nil, "", 0},
	} {
		heads := Candidates(c.o, c.pinned, 5000)
		if len(heads) != c.n || c.n > 0 && heads[0].Optimizer != c.optimizer {
			t.Errorf("%+v, pinned %v: %d candidates", c.o, c.pinned, len(heads))
		}
		for _, h := range heads {
			if err := h.Validate(); err != nil {
				t.Error(err)
			}
		}
	}
}
