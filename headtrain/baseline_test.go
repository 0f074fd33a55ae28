package headtrain

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// cosine64 is the cosine of two rows in float64.
func cosine64(a, b []float32) float64 {
	var ab, aa, bb float64
	for j := range a {
		ab += float64(a[j]) * float64(b[j])
		aa += float64(a[j]) * float64(a[j])
		bb += float64(b[j]) * float64(b[j])
	}
	return ab / math.Sqrt(aa*bb)
}

// TestNeighboursEqualBruteForce allows for ties alone: a neighbour may be another
// row only if that is as near but for rounding.
func TestNeighboursEqualBruteForce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, k := rapid.IntRange(1, 40).Draw(rt, "features"), rapid.IntRange(1, 25).Draw(rt, "neighbours")
		bank := clusters(rapid.IntRange(1, 600).Draw(rt, "rows"), d, 3, 1)
		queries := clusters(rapid.IntRange(1, 300).Draw(rt, "queries"), d, 3, 2)
		bank.Labels[0] = 1
		for r := range bank.Labels[1:] {
			if r%7 == 3 {
				bank.Labels[r+1] = -1
			}
		}
		got, err := Neighbours(t.Context(), bank, queries, k)
		if err != nil {
			rt.Fatal(err)
		}
		const near = 1e-6
		for q, list := range got {
			listed := map[int]bool{}
			worst := math.Inf(1)
			for _, n := range list {
				c := cosine64(bank.Row(n.Row), queries.Row(q))
				if math.IsNaN(c) {
					c = 0 // a row of zeros
				}
				if listed[n.Row] || bank.Labels[n.Row] < 0 || math.Abs(c-n.Cosine) > 1e-14 || n.Cosine > worst {
					rt.Fatalf("query %d: %+v, whose cosine is %v, after %v", q, n, c, worst)
				}
				listed[n.Row], worst = true, n.Cosine
			}
			for r, y := range bank.Labels {
				if c := cosine64(bank.Row(r), queries.Row(q)); y >= 0 && !listed[r] && (len(list) < k || c > worst+near) {
					rt.Fatalf("query %d: row %d with %v is missing", q, r, c)
				}
			}
		}
	})
}

func TestPairsEqualBruteForce(t *testing.T) {
	d := clusters(400, 30, 5, 3)
	copy(d.Row(7), d.Row(300))
	copy(d.Row(131), d.Row(399))
	const threshold = 0.985
	pairs, total, err := SimilarPairs(t.Context(), d, threshold)
	if err != nil {
		t.Fatal(err)
	}
	found := map[[2]int]bool{}
	for i, p := range pairs {
		found[[2]int{p.I, p.J}] = true
		if p.I >= p.J || i > 0 && p.Cosine > pairs[i-1].Cosine {
			t.Errorf("pair %+v is out of order", p)
		}
	}
	want := 0
	for i := range d.Rows() {
		for j := i + 1; j < d.Rows(); j++ {
			c := cosine64(d.Row(i), d.Row(j))
			if c > threshold {
				want++
			}
			if (c > threshold+1e-5) != found[[2]int{i, j}] && math.Abs(c-threshold) > 1e-5 {
				t.Errorf("rows %d and %d have %v: found %v", i, j, c, found[[2]int{i, j}])
			}
		}
	}
	if want < 3 || total != want || total != len(pairs) {
		t.Errorf("%d pairs, %d listed, want %d", total, len(pairs), want)
	}
	if pairs[0].Cosine < 0.99999 || pairs[1].Cosine < 0.99999 {
		t.Errorf("the copies are not first: %+v", pairs[:2])
	}
}

func TestManyCopiesOfARowAreCountedAndNotAllListed(t *testing.T) {
	d := &Dataset{X: make([]float32, 300*2), Dim: 2, Labels: make([]int32, 300), Classes: classNames(1)}
	for i := range d.X {
		d.X[i] = 1
	}
	pairs, total, err := SimilarPairs(t.Context(), d, 0.9)
	if err != nil || total != 300*299/2 || len(pairs) > 300*pairsOfRow {
		t.Errorf("%d pairs, %d listed, %v", total, len(pairs), err)
	}
}

// Judging must not depend on the number of processors.
func TestJudgesAreDeterministic(t *testing.T) {
	train, test := clusters(700, 33, 4, 1), clusters(200, 33, 4, 2)
	type result struct {
		Neighbours [][]Neighbour
		Pairs      []Pair
		Ridge      []float32
		White      []float32
		Folds      []float32
		Doubts     *Doubts
	}
	judge := func() (r result) {
		var err error
		ctx := t.Context()
		check := func(e error) {
			if e != nil {
				t.Fatal(e)
			}
		}
		r.Neighbours, err = Neighbours(ctx, train, test, 20)
		check(err)
		r.Pairs, _, err = SimilarPairs(ctx, train, 0.9)
		check(err)
		heads, err := FitRidge(ctx, train, []float64{1, 10})
		check(err)
		r.Ridge = append(heads[0].W, heads[1].B...)
		white, err := Whiten(ctx, train)
		check(err)
		r.White = white.X
		r.Folds, err = OutOfFold(ctx, New(), train, folds(700, 5), 5, nil, Options{Epochs: 2})
		check(err)
		r.Doubts, err = DoubtLabels(ctx, train, folds(700, 5), 5)
		check(err)
		return r
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	one := judge()
	runtime.GOMAXPROCS(7)
	if d := cmp.Diff(one, judge()); d != "" {
		t.Errorf("1 processor and 7 differ:\n%.2000s", d)
	}
}

// The ridge solves the normal equations, which a check needs no library for.
func TestRidgeIsTheMinimum(t *testing.T) {
	train := clusters(150, 12, 3, 1)
	const penalty = 7
	heads, err := FitRidge(t.Context(), train, []float64{penalty})
	if err != nil {
		t.Fatal(err)
	}
	mean, std := moments(newRowSet(train, InputNone, nil), newTestTeam(t))
	h := heads[0]
	scores := make([]float32, 150*3)
	h.Logits(scores, train.X, 150)
	for c := range 3 {
		for j := range 12 {
			// The derivative of |Xw-y|² + penalty·|w|² by w[j], in standardised
			// features, halved: Σ x·(score-target) + penalty·w.
			slope := penalty * float64(h.W[c*12+j]) * std[j]
			for r, y := range train.Labels {
				target := 0.0
				if int(y) == c {
					target = 1
				}
				slope += (float64(train.X[r*12+j]) - mean[j]) / std[j] * (float64(scores[r*3+c]) - target)
			}
			if math.Abs(slope) > 1e-3 {
				t.Errorf("class %d, feature %d: the slope is %v", c, j, slope)
			}
		}
	}
}

func newTestTeam(t *testing.T) *team {
	team := newTeam(1)
	t.Cleanup(team.close)
	return team
}

func TestWhitenedFeaturesAreUncorrelated(t *testing.T) {
	// Two features that say the same and one that says little: after whitening,
	// rows that differ in the little one alone are far apart.
	r := rand.New(rand.NewPCG(1, 1))
	d := &Dataset{Dim: 3, Classes: classNames(1)}
	for range 500 {
		a, b := r.NormFloat64(), r.NormFloat64()
		d.X = append(d.X, float32(a), float32(a+0.1*r.NormFloat64()), float32(b))
		d.Labels = append(d.Labels, -1)
	}
	white, err := Whiten(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	var mean [3]float64
	var cov [3][3]float64
	for i := range 500 {
		for j, v := range white.Row(i) {
			mean[j] += float64(v) / 500
			for k, u := range white.Row(i) {
				cov[j][k] += float64(v) * float64(u) / 500
			}
		}
	}
	// With a floor of 1, a direction of variance v has v/(v+1) afterwards: 2/3,
	// 1/2 and, for what the twins differ in, nearly 0.
	trace := cov[0][0] + cov[1][1] + cov[2][2]
	if math.Abs(trace-(2.0/3+0.5)) > 0.02 || math.Abs(mean[0])+math.Abs(mean[1])+math.Abs(mean[2]) > 1e-4 {
		t.Errorf("mean %v, covariance %v", mean, cov)
	}
}

func folds(n, k int) []int {
	fold := make([]int, n)
	for i := range fold {
		fold[i] = i / 2 % k
	}
	return fold
}

func TestOutOfFoldHeadsDoNotSeeTheirRows(t *testing.T) {
	// Labels are noise: a head that had seen its rows would know them.
	d := clusters(400, 60, 2, 1)
	r := rand.New(rand.NewPCG(2, 2))
	for i := range d.Labels {
		d.Labels[i] = int32(r.IntN(2))
	}
	logits, err := OutOfFold(t.Context(), New(), d, folds(400, 5), 5, nil, Options{Epochs: 40, LR: 1e-2})
	if err != nil {
		t.Fatal(err)
	}
	if report, err := Evaluate(logits, d.Labels, d.Classes); err != nil || report.Top1 > 0.62 {
		t.Errorf("out of fold, noise is predicted with %v, %v", report.Top1, err)
	}
	// A head of one fold is the head of a job without its rows.
	one := &Dataset{X: d.X, Dim: d.Dim, Classes: d.Classes}
	for i, f := range folds(400, 5) {
		one.Labels = append(one.Labels, d.Labels[i])
		if f == 3 {
			one.Labels[i] = -1
		}
	}
	h := fitOne(t, Job{Train: one}, Options{Epochs: 40, LR: 1e-2}).Head
	z := make([]float32, 2)
	h.Logits(z, d.Row(6), 1)
	if !sameBits(z, logits[12:14]) {
		t.Errorf("row 6 has logits %v, want %v", logits[12:14], z)
	}
}

func TestBaselinesJudgeTheHead(t *testing.T) {
	train, val, test := clusters(600, 20, 3, 1), clusters(150, 20, 3, 2), clusters(300, 20, 3, 3)
	h := fitOne(t, Job{Train: train}, Options{Epochs: 20, LR: 1e-2}).Head
	found, err := Baselines(t.Context(), train, val, test, h)
	if err != nil || len(found) != 5 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, b := range found {
		off := float64(b.OnlyHead-b.OnlyIt) / float64(b.Rows)
		if b.Rows != 300 || b.RowsOf != 300 || b.Learned != 600 || b.LearnedOf != 600 || math.Abs(b.Head-b.Accuracy-off) > 1e-12 {
			t.Errorf("%+v does not add up", b)
		}
	}
	if m := found[0]; math.Abs(m.Accuracy-1.0/3) > 1e-12 || !m.Beaten() || m.ByChance() {
		t.Errorf("the majority of three equal classes: %+v", m)
	}
	bad := &Head{Classes: h.Classes, Dim: h.Dim, W: make([]float32, len(h.W)), B: make([]float32, 3)}
	found, err = Baselines(t.Context(), train, nil, test, bad)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range found[1:] {
		if b.Beaten() || b.ByChance() {
			t.Errorf("a head that knows nothing against %+v", b)
		}
	}
}

func TestSamplesAreOfAllClassesAndInOrder(t *testing.T) {
	rows := make([]int, 1000)
	for i := range rows {
		rows[i] = 3 * i
	}
	for most := 1; most <= 1001; most++ {
		some := sample(rows, most)
		seen := map[int]bool{}
		for i, r := range some {
			seen[r%10] = true // classes that take turns
			if r%3 != 0 || r >= 3000 || i > 0 && r <= some[i-1] {
				t.Fatalf("%d of 1000 rows: %v", most, some)
			}
		}
		if len(some) != min(most, 1000) || most >= 200 && len(seen) != 10 {
			t.Fatalf("%d of 1000 rows: %d, of %d classes", most, len(some), len(seen))
		}
	}
	if &sample(rows, 1000)[0] != &rows[0] || !slices.Equal(sample(rows, 77), sample(rows, 77)) {
		t.Error("rows were copied, or drawn anew")
	}
}

func TestBaselinesOfTooManyRowsSayWhatTheySaw(t *testing.T) {
	train, val, test := clusters(900, 10, 3, 1), clusters(90, 10, 3, 2), clusters(300, 10, 3, 3)
	train.Labels[5], test.Labels[7] = -1, -1
	head := &Head{Classes: train.Classes, Dim: 10, W: make([]float32, 30), B: make([]float32, 3)}
	for _, c := range []struct {
		effort
		ridge, nearest, queries int // rows that are seen
	}{
		{usualEffort, 899, 899, 299},
		{effort{ridge: 400 * 50, nearest: 1e9, queries: 10}, 400, 899, 299},
		{effort{ridge: 1e9, nearest: 899 * 10 * 200, queries: 200}, 899, 899, 200},
		{effort{ridge: 1e9, nearest: 450 * 10 * 100, queries: 100}, 899, 450, 100},
		{effort{ridge: 1e9, nearest: 450 * 10 * 400, queries: 400}, 899, 450, 299},
		{effort{ridge: 50, nearest: 1, queries: 1}, 1, 1, 1},
	} {
		found, err := c.baselines(t.Context(), train, val, test, head)
		if err != nil || len(found) != 5 {
			t.Fatal(found, err)
		}
		for i, b := range found {
			rows, learned := 299, 899
			switch i {
			case 1, 2, 3:
				rows, learned = c.queries, c.nearest
			case 4:
				learned = c.ridge
			}
			if b.Rows != rows || b.Learned != learned || b.RowsOf != 299 || b.LearnedOf != 899 {
				t.Errorf("%+v: %+v, want %d rows that know %d", c.effort, b, rows, learned)
			}
		}
	}
}

// The ridge of the baselines is the one of all rows.
func TestBaselineRidgeKnowsAllRows(t *testing.T) {
	train, test := clusters(7000, 16, 3, 1), clusters(300, 16, 3, 3)
	r := rand.New(rand.NewPCG(3, 3))
	for i := range train.Labels[:6900] {
		train.Labels[i] = int32(r.IntN(3)) // what is to be known lies at the end
	}
	heads, err := FitRidge(t.Context(), train, []float64{16})
	if err != nil {
		t.Fatal(err)
	}
	found, err := Baselines(t.Context(), train, nil, test, heads[0])
	if err != nil {
		t.Fatal(err)
	}
	if b := found[4]; b.OnlyIt != 0 || b.OnlyHead != 0 || b.Learned != 7000 {
		t.Errorf("beside the ridge of all rows: %+v", b)
	}
}

func TestFirstFaultyValueIsFound(t *testing.T) {
	for n := range 40 {
		x := make([]float32, n)
		for i := range x {
			x[i] = math.MaxFloat32 * float32(1-2*(i%2))
		}
		if i := firstNotFinite(x); i != -1 {
			t.Fatalf("%d values: %d", n, i)
		}
		for i := n - 1; i >= 0; i-- {
			for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				x[i] = float32(v)
				if got := firstNotFinite(x); got != i {
					t.Fatalf("%v at %d of %d: %d", v, i, n, got)
				}
			}
		}
	}
}

func TestJudgesStopWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := clusters(300, 8, 2, 1)
	_, knn := Neighbours(ctx, d, d, 1)
	_, _, pairs := SimilarPairs(ctx, d, 0.9)
	_, ridge := FitRidge(ctx, d, []float64{1})
	_, white := Whiten(ctx, d)
	_, out := OutOfFold(ctx, New(), d, folds(300, 5), 5, nil, Options{})
	_, doubts := DoubtLabels(ctx, d, folds(300, 5), 5)
	for i, err := range []error{knn, pairs, ridge, white, out, doubts} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %v", i, err)
		}
	}
}
