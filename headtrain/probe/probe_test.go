package probe

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

// clusters returns generated rows, see testkit.Clusters.
func clusters(n, d, k int, seed uint64) *headtrain.Dataset {
	return (*headtrain.Dataset)(testkit.Clusters(n, d, k, seed))
}

func folds(n, k int) []int {
	fold := make([]int, n)
	for i := range fold {
		fold[i] = i / 2 % k
	}
	return fold
}

// Probing must not depend on the number of processors.
func TestProbesAreDeterministic(t *testing.T) {
	d := clusters(700, 33, 4, 1)
	type result struct {
		Pairs  []Pair
		White  []float32
		Folds  []float32
		Doubts *Doubts
	}
	probe := func() (r result) {
		var err error
		ctx := t.Context()
		check := func(e error) {
			if e != nil {
				t.Fatal(e)
			}
		}
		r.Pairs, _, err = Copies(ctx, d, 0.9)
		check(err)
		white, err := Whiten(ctx, d)
		check(err)
		r.White = white.X
		unseen, err := OutOfFold(ctx, headtrain.New(), d, folds(700, 5), 5, nil, headtrain.Options{Epochs: 2})
		check(err)
		read := unseen.Reader()
		for row := range unseen.Rows() {
			r.Folds = append(r.Folds, read(row)...)
		}
		r.Doubts, err = Labels(ctx, d, folds(700, 5), 5)
		check(err)
		return r
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	one := probe()
	runtime.GOMAXPROCS(7)
	if d := cmp.Diff(one, probe()); d != "" {
		t.Errorf("1 processor and 7 differ:\n%.2000s", d)
	}
}

func TestProbesStopWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := clusters(300, 8, 2, 1)
	_, _, pairs := Copies(ctx, d, 0.9)
	_, white := Whiten(ctx, d)
	_, out := OutOfFold(ctx, headtrain.New(), d, folds(300, 5), 5, nil, headtrain.Options{})
	_, doubts := Labels(ctx, d, folds(300, 5), 5)
	for i, err := range []error{pairs, white, out, doubts} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %v", i, err)
		}
	}
}
