package judge

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/nearest"
	"icebox/headtrain/internal/testkit"
)

// clusters returns generated rows, see testkit.Clusters.
func clusters(n, d, k int, seed uint64) *headtrain.Dataset {
	return (*headtrain.Dataset)(testkit.Clusters(n, d, k, seed))
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

// Judging must not depend on the number of processors.
func TestJudgesAreDeterministic(t *testing.T) {
	train, test := testkit.Clusters(700, 33, 4, 1), testkit.Clusters(200, 33, 4, 2)
	type result struct {
		Neighbours [][]nearest.Neighbour
		Ridge      []float32
	}
	judge := func() (r result) {
		var err error
		if r.Neighbours, err = neighbours(t.Context(), train, test, 20); err != nil {
			t.Fatal(err)
		}
		heads, err := fitRidge(t.Context(), labelled.Of(train), []float64{1, 10})
		if err != nil {
			t.Fatal(err)
		}
		r.Ridge = append(heads[0].W, heads[1].B...)
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

func TestBaselinesJudgeTheHead(t *testing.T) {
	train, val, test := clusters(600, 20, 3, 1), clusters(150, 20, 3, 2), clusters(300, 20, 3, 3)
	h := fitOne(t, train, headtrain.Options{Epochs: 20, LR: 1e-2})
	found, err := Baselines(t.Context(), train, val, test, h)
	if err != nil || len(found) != 5 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, b := range found {
		off := float64(b.OnlyHead-b.OnlyIt) / float64(b.Rows)
		if b.Rows != 300 || b.RowsOf != 300 || b.Learned != 600 || b.LearnedOf != 600 || !(math.Abs(b.Head-b.Accuracy-off) <= 1e-12) {
			t.Errorf("%+v does not add up", b)
		}
	}
	if m := found[0]; !(math.Abs(m.Accuracy-1.0/3) <= 1e-12) || !m.Beaten() || m.ByChance() {
		t.Errorf("the majority of three equal classes: %+v", m)
	}
	bad := &headtrain.Head{Classes: h.Classes, Dim: h.Dim, W: make([]float32, len(h.W)), B: make([]float32, 3)}
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

func TestBaselinesOfTooManyRowsSayWhatTheySaw(t *testing.T) {
	train, val, test := clusters(900, 10, 3, 1), clusters(90, 10, 3, 2), clusters(300, 10, 3, 3)
	train.Labels[5], test.Labels[7] = -1, -1
	head := &headtrain.Head{Classes: train.Classes, Dim: 10, W: make([]float32, 30), B: make([]float32, 3)}
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
		refs, err := c.references(t.Context(), train, val, test)
		if err != nil {
			t.Fatal(err)
		}
		found, err := refs.Beside(t.Context(), test, head)
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
	heads, err := fitRidge(t.Context(), labelled.Of((*labelled.Matrix)(train)), []float64{16})
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

func TestJudgesStopWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := testkit.Clusters(300, 8, 2, 1)
	_, knn := neighbours(ctx, m, m, 1)
	_, ridge := fitRidge(ctx, labelled.Of(m), []float64{1})
	d := (*headtrain.Dataset)(m)
	_, baselines := Baselines(ctx, d, nil, d, &headtrain.Head{Classes: d.Classes, Dim: 8, W: make([]float32, 16), B: make([]float32, 2)})
	for i, err := range []error{knn, ridge, baselines} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %v", i, err)
		}
	}
}
