package probe_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"icebox/headtrain"
	"icebox/headtrain/probe"
)

// clouds returns 200 points of two clouds that lie well apart.
func clouds() *headtrain.Dataset {
	r := rand.New(rand.NewPCG(1, 1))
	d := &headtrain.Dataset{Dim: 3, Classes: []string{"left", "right"}}
	for i := range 200 {
		y := i % 2
		d.X = append(d.X, float32(8*y-4)+float32(r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64()))
		d.Labels = append(d.Labels, int32(y))
	}
	return d
}

// One label is changed, and found.
func ExampleLabels() {
	d := clouds()
	d.Labels[42] = 1
	fold := make([]int, d.Rows())
	for r := range fold {
		fold[r] = r / 2 % 5
	}
	doubts, err := probe.Labels(context.Background(), d, fold, 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("about %.0f of %d labels\n", doubts.Wrong, doubts.Judged)
	for r, doubt := range doubts.Rows {
		if doubt.Chance > 0.5 {
			fmt.Println("row", r)
		}
	}
	// Output:
	// about 1 of 200 labels
	// row 42
}

// Row 7 is copied over row 120.
func ExampleCopies() {
	d := clouds()
	copy(d.Row(120), d.Row(7))
	white, err := probe.Whiten(context.Background(), d)
	if err != nil {
		fmt.Println(err)
		return
	}
	pairs, _, err := probe.Copies(context.Background(), white, 0.9999)
	fmt.Println(pairs[0].I, pairs[0].J, err)
	// Output: 7 120 <nil>
}
