package headtrain

import (
	"context"
	"math"
	"slices"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/rng"
	"icebox/headtrain/internal/team"
)

// correlated returns rows whose features are mixtures of a few that matter, as those of a
// backbone are, and a little of their own.
func correlated(n, d, k int, seed uint64) *Dataset {
	const few = 12
	from, mix := clusters(n, few, k, seed), rng.New(7, d)
	weights := make([]float32, d*few)
	for i := range weights {
		weights[i] = mix.Symmetric() / float32(1+i%few)
	}
	own := rng.New(seed, 1)
	to := &Dataset{X: make([]float32, n*d), Dim: d, Labels: from.Labels, Classes: from.Classes}
	for r := range n {
		for j := range d {
			sum := 0.05 * own.Symmetric()
			for l, v := range from.Row(r) {
				sum += weights[j*few+l] * v
			}
			to.X[r*d+j] = sum
		}
	}
	return to
}

// lbfgsOn returns L-BFGS on some rows with its preconditioner, which may be nil.
func lbfgsOn(t *testing.T, d *Dataset, o Options) *lbfgs {
	t.Helper()
	o.Optimizer = OptimizerLBFGS
	o = o.WithDefaults()
	s := newStack(kernel.Best(), (Job{Train: d}).view(Part{}, o.Input, newTestTeam(t)), []Options{o}, []int{0})
	t.Cleanup(s.team.Close)
	m := newLBFGS(s)
	m.pre = newPreconditioner(t.Context(), s, m.penalty)
	return m
}

// covariance returns XᵀX/n of the mapped rows in float64, one feature after another.
func covariance(m *lbfgs) []float64 {
	s := m.s
	c := make([]float64, s.dim*s.dim)
	n := len(s.train.Rows)
	for r := range n {
		x := s.mapped.train[r*s.stride:]
		for i := range s.dim {
			for j := range s.dim {
				c[i*s.dim+j] += float64(x[i]) * float64(x[j]) / float64(n)
			}
		}
	}
	return c
}

// What the sketch leaves of the covariance lies between 0 and a few times its least
// eigenvalue, in any direction.
func TestASketchHoldsWhatIsLarge(t *testing.T) {
	for _, input := range []string{InputStandardise, InputNone} {
		m := lbfgsOn(t, correlated(900, 100, 5, 1), Options{Input: input, WeightDecay: 0.01})
		p, d := m.pre, 100
		if p == nil || p.rank != 12 {
			t.Fatalf("%s: %+v", input, p)
		}
		full, held, random := covariance(m), 0.0, rng.New(3, 0)
		trace := 0.0
		for j := range d {
			trace += full[j*d+j]
			for i := range p.rank {
				held += p.u[i*d+j] * p.u[i*d+j]
			}
		}
		if !(held > 0.95*trace) {
			t.Errorf("%s: the sketch holds %v of %v", input, held, trace)
		}
		for range 50 {
			v, left := make([]float64, d), 0.0
			for j := range v {
				v[j] = float64(random.Symmetric())
			}
			for i := range d {
				left += v[i] * dot(v, full[i*d:(i+1)*d])
			}
			for i := range p.rank {
				along := dot(v, p.u[i*d:(i+1)*d])
				left -= along * along
			}
			if share := left / dot(v, v); !(share > -1e-4*trace && share < 3*p.floor) {
				t.Errorf("%s: %v is left in a direction, the least eigenvalue is %v", input, share, p.floor)
			}
		}
	}
}

// M times what is solved is what was asked for, and solve is the product of both.
func TestAPreconditionerSolves(t *testing.T) {
	for _, k := range []int{2, 5, 40} {
		for _, decay := range []float64{0, 1e-4, 1} {
			m := lbfgsOn(t, correlated(900, 100, k, 1), Options{Input: InputNone, WeightDecay: 0.01})
			p, s := m.pre, m.s
			p.setDecay(decay)
			q, random := make([]float64, len(m.x)), rng.New(5, k)
			for c := range k {
				for j := range s.dim + 1 {
					q[c*s.stride+j] = 1e-6 * float64(random.Symmetric())
				}
			}
			got := slices.Clone(q)
			p.apply(got)
			if square, want := p.solve(q), dot(q, got); !(math.Abs(square-want) <= 1e-4*want) {
				t.Errorf("%d classes, decay %v: the square is %v, not %v", k, decay, square, want)
			}
			for c := range k {
				own := got[c*s.stride:]
				back := make([]float64, s.dim)
				for j := range back {
					back[j] = (p.curve*p.floor + decay*m.penalty[j]) * own[j]
				}
				for i := range p.rank {
					u := p.u[i*s.dim : (i+1)*s.dim]
					addScaled(back, p.curve*dot(own[:s.dim], u), u)
				}
				for j, v := range back {
					if !(math.Abs(v-q[c*s.stride+j]) <= 1e-9) {
						t.Fatalf("%d classes, decay %v: class %d, feature %d comes back as %v, not %v", k, decay, c, j, v, q[c*s.stride+j])
					}
				}
				if bias := own[s.dim] * p.curve; !(math.Abs(bias-q[c*s.stride+s.dim]) <= 1e-12) {
					t.Errorf("%d classes: the bias of class %d comes back as %v", k, c, bias)
				}
			}
		}
	}
}

// The sketch is the same bits on all kernels and threads, whether mapped rows are kept or not.
func TestASketchIsTheSameHoweverItIsComputed(t *testing.T) {
	d := correlated(3*panelRows+37, 83, 4, 2)
	m := lbfgsOn(t, d, Options{WeightDecay: 0.01})
	want, floor := m.s.sketch(t.Context(), 8)
	if want == nil {
		t.Fatal("there is none")
	}
	for _, isa := range kernel.Available() {
		for _, threads := range []int{1, 2, 5} {
			for _, kept := range []bool{true, false} {
				s := *m.s
				s.isa, s.team = isa, team.New(threads)
				if !kept {
					s.mapped = mapped{}
				}
				s.workers = make([]scratch, threads)
				for i := range s.workers {
					s.workers[i].x = make([]float32, s.stride*kernel.ChunkRows)
				}
				got, least := s.sketch(t.Context(), 8)
				s.team.Close()
				if !slices.Equal(got, want) || least != floor {
					t.Errorf("%v, %d threads, rows kept: %v: the sketch is another", isa, threads, kept)
				}
			}
		}
	}
}

func TestPreconditionersAreForRowsThatDifferInDirections(t *testing.T) {
	flat := &Dataset{X: make([]float32, 2000*64), Dim: 64, Labels: make([]int32, 2000), Classes: []string{"a", "b", "c"}}
	random := rng.New(1, 1)
	for i := range flat.X {
		flat.X[i] = random.Symmetric()
	}
	for i := range flat.Labels {
		flat.Labels[i] = int32(i % 3)
	}
	huge := correlated(300, 64, 3, 1)
	for i := range huge.X {
		huge.X[i] *= 1e30
	}
	for what, d := range map[string]*Dataset{"flat": flat, "few features": correlated(300, 31, 3, 1), "few rows": correlated(31, 64, 3, 1)} {
		if m := lbfgsOn(t, d, Options{}); m.pre != nil {
			t.Errorf("%s: there is one", what)
		}
	}
	if m := lbfgsOn(t, huge, Options{}); m.pre == nil {
		t.Error("standardised features in a small unit have none")
	}
}

// It saves half of the steps, and comes to the same optimum.
func TestPreconditionersSaveSteps(t *testing.T) {
	d := correlated(1500, 96, 6, 1)
	for _, input := range Choices()["Input"] {
		o := Options{Input: input, Optimizer: OptimizerLBFGS, WeightDecay: 1e-3, Epochs: 1000}
		with := fitOne(t, Job{Train: d}, o)
		zero := &Head{Dim: d.Dim, Classes: d.Classes, W: make([]float32, 6*d.Dim), B: make([]float32, 6)}
		without := fitOne(t, Job{Train: d, From: zero}, o) // the same start, but as one that is near
		if len(with.History)*2 > len(without.History) {
			t.Errorf("%s: %d steps with a preconditioner, %d without", input, len(with.History), len(without.History))
		}
		if a, b := with.TrainLoss, without.TrainLoss; !(math.Abs(a-b) <= 1e-4*b) || with.Stopped != StoppedConverged {
			t.Errorf("%s: loss %v with, %v without; %s", input, a, b, with.Stopped)
		}
	}
}

func TestHeadsWithAPreconditionerAreTheSameAtAnyNumberOfThreads(t *testing.T) {
	job := Job{Train: correlated(1100, 70, 12, 1)}
	for _, input := range Choices()["Input"] {
		var want []Result
		for _, isa := range kernel.Available() {
			for _, threads := range []int{1, 2, 8} {
				job.Heads = []Options{{Optimizer: OptimizerLBFGS, WeightDecay: 0.02, Input: input, Epochs: 12, Threads: threads}}
				got, err := linear{isa}.Fit(context.Background(), job)
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				if !sameHead(got[0].Head, want[0].Head) || got[0].TrainLoss != want[0].TrainLoss {
					t.Errorf("%s, %v: %d threads give another head than 1", input, isa, threads)
				}
			}
		}
	}
}

// A matrix times what its factor solves is what was asked for.
func TestCholeskySolves(t *testing.T) {
	const n, d = 9, 30
	random := rng.New(1, 2)
	x := make([]float64, n*d)
	for i := range x {
		x[i] = float64(random.Symmetric())
	}
	a := gram(x, x, n, d)
	l := cholesky{n, slices.Clone(a.a)}
	if !l.factor(0.5) {
		t.Fatal("the matrix is not positive")
	}
	q := make([]float64, n)
	for i := range q {
		q[i] = float64(i) - 3
	}
	got := slices.Clone(q)
	l.forward(got)
	l.backward(got)
	for i := range n {
		sum := 0.5 * got[i]
		for j := range n {
			sum += a.a[max(i, j)*n+min(i, j)] * got[j]
		}
		if !(math.Abs(sum-q[i]) <= 1e-9) {
			t.Errorf("row %d: %v, not %v", i, sum, q[i])
		}
	}
	diagonal := cholesky{3, []float64{4, 0, 0, 0, 9, 0, 0, 0, 1}}
	if !diagonal.factor(0) || !(math.Abs(diagonal.least()-1) <= 1e-6) {
		t.Errorf("the least eigenvalue of 4, 9 and 1 is %v", diagonal.least())
	}
	for _, bad := range []float64{-1, math.NaN()} {
		if (cholesky{1, []float64{bad}}).factor(0) {
			t.Errorf("%v is a positive matrix", bad)
		}
	}
}
